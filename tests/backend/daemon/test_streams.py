"""The book-keeping of a stream."""

from __future__ import annotations

import pytest

from backend.daemon.streams import Stream
from protocol.errors import ErrorCode, NuriError


def test_frames_beyond_the_window_need_credit() -> None:
    stream = Stream(total=10, window=2, now=0.0)
    stream.receive(0, [b"0"], 0.0)
    stream.receive(1, [b"1"], 0.0)
    with pytest.raises(NuriError, match="without credit") as caught:
        stream.receive(2, [b"2"], 0.0)
    assert caught.value.code is ErrorCode.malformed
    assert stream.take() == (0, [b"0"])
    assert stream.grant() == 1
    stream.receive(2, [b"2"], 0.0)


@pytest.mark.parametrize("index", [1, 5])
def test_frames_come_in_order(index: int) -> None:
    stream = Stream(total=3, window=4, now=0.0)
    with pytest.raises(NuriError, match="where frame 0 was due"):
        stream.receive(index, [], 0.0)


def test_no_frame_after_the_last() -> None:
    stream = Stream(total=1, window=4, now=0.0)
    stream.receive(0, [], 0.0)
    with pytest.raises(NuriError):
        stream.receive(1, [], 0.0)
    stream.take()
    assert stream.grant() == 0


def test_outputs_stop_when_the_client_has_no_room() -> None:
    stream = Stream(total=10, window=2, now=0.0)
    for index in range(2):
        stream.receive(index, [], 0.0)
        stream.take()
        stream.grant()
        stream.deliver(0.0)
    stream.receive(2, [], 5.0)
    assert not stream.is_runnable
    stream.add_room(1, 6.0)
    assert stream.is_runnable


def test_credit_never_grows_beyond_the_window() -> None:
    stream = Stream(total=10, window=2, now=0.0)
    stream.add_room(64, 0.0)
    for index in range(2):
        stream.receive(index, [], 0.0)
        stream.take()
        stream.grant()
    stream.receive(2, [], 0.0)
    assert not stream.is_runnable


def test_it_knows_since_when_it_waits_for_the_client() -> None:
    stream = Stream(total=2, window=2, now=1.0)
    assert stream.stalled_since == 1.0
    stream.receive(0, [], 2.0)
    assert stream.stalled_since is None
    stream.take()
    assert stream.stalled_since is None
    stream.deliver(3.0)
    assert stream.stalled_since == 3.0


def test_a_frame_whose_worker_died_is_computed_once_more_and_no_third_time() -> None:
    stream = Stream(total=9, window=2, now=0.0)
    for index in range(2):
        stream.receive(index, [index], 0.0)
    assert stream.take() == (0, [0])
    assert stream.grant() == 1
    assert stream.put_back(1.0)
    assert stream.is_runnable
    assert stream.take() == (0, [0])
    assert stream.grant() == 0  # that place was given away the first time
    assert not stream.put_back(2.0)
    stream.deliver(3.0)
    assert stream.take() == (1, [1])
    assert stream.grant() == 1
    assert stream.put_back(4.0)


@pytest.mark.parametrize("good_between", [False, True])
def test_three_frames_given_up_in_a_row_are_too_many(good_between: bool) -> None:
    stream = Stream(total=9, window=9, now=0.0)
    for index in range(9):
        stream.receive(index, [index], 0.0)
    for _ in range(2):
        stream.take()
        assert stream.give_up(1.0)
        assert stream.current is None
    if good_between:
        stream.take()
        stream.deliver(2.0)
    stream.take()
    assert stream.give_up(3.0) == good_between
    assert stream.failed == stream.delivered - good_between


def test_done_with_the_last_output() -> None:
    stream = Stream(total=1, window=2, now=0.0)
    stream.receive(0, [], 0.0)
    stream.take()
    assert not stream.is_done
    stream.deliver(0.0)
    assert stream.is_done
