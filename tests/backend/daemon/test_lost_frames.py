"""Frames of a stream that end every worker that takes them up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.cli.interrupt import Interrupt
from backend.cli.streaming import FrameInput, Shoot, run_stream
from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import Frame

from . import frail
from .house import House


@pytest.fixture
def client(house: House) -> Client:
    """Of a daemon whose worker is the frail one."""
    house.start(prologue=frail.PROLOGUE)
    return house.client()


def send(client: Client, facts: list[dict[str, Any]]) -> tuple[Job, Iterator[Frame]]:
    """A stream of frames with these facts and no pictures, all of them on their way."""
    job = client.submit("frail", [], frames=len(facts), deadline=60)

    def frames() -> Iterator[Frame]:
        for index, table in enumerate(facts):
            while job.input_credit <= 0 and not job.is_finished:
                yield from job.take_frames()
                client.wait(0.1)
            if not job.is_finished:
                job.send_frame(index, [], info=table)
        yield from job.frames()

    return job, frames()


def lost(count: int, deadly: set[int]) -> list[dict[str, Any]]:
    return [{"time": 10 * index, "deadly": index in deadly} for index in range(count)]


def errors(frames: list[Frame]) -> dict[int, dict[str, Any]]:
    return {frame.index: frame.info["error"] for frame in frames if "error" in frame.info}


def test_the_others_go_on_and_the_reason_is_told_once(house: House, client: Client) -> None:
    """Frames 2 and 8 are far apart, so that more frames than the window lie between them."""
    job, stream = send(client, lost(12, {2, 8}))
    frames = list(stream)
    assert [frame.index for frame in frames] == list(range(12))
    assert set(errors(frames)) == {2, 8}
    assert all("pid" in frame.info for frame in frames if frame.index not in (2, 8))
    for index in (2, 8):
        assert frames[index].planes == ()
        assert frames[index].info["time"] == 10 * index
        error = frames[index].info["error"]
        assert error["code"] == "worker_died"
        assert error["message"].startswith("This frame failed twice: ")
        assert "signal 9" in error["message"]
        assert "log" in error["action"]
    assert house.log().count("goes on without frame") == 2
    result = job.result(60)
    assert (result.info["frames"], result.info["failed"]) == (12, 2)


@pytest.mark.parametrize("deadly", [{0, 1, 3, 4}, {4, 5}, {5}, {0}])
def test_two_in_a_row_and_the_first_and_the_last(client: Client, deadly: set[int]) -> None:
    job, stream = send(client, lost(6, deadly))
    frames = list(stream)
    assert [frame.index for frame in frames] == list(range(6))
    assert set(errors(frames)) == deadly
    assert job.result(60).info["failed"] == len(deadly)


def test_three_in_a_row_end_the_job_which_names_the_last(house: House, client: Client) -> None:
    _, stream = send(client, lost(9, {2, 3, 4}))
    frames: list[Frame] = []
    with pytest.raises(NuriError, match=r"Frame 4: .* signal 9") as caught:
        frames.extend(stream)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert set(errors(frames)) == {2, 3}
    assert caught.value.code is ErrorCode.worker_died
    assert caught.value.info.action
    assert house.log().count("goes on without frame") == 2
    # The worker is not given up with the job.
    after, stream = send(client, lost(2, set()))
    assert len(list(stream)) == 2
    assert after.result(60).info["failed"] == 0


def test_a_frame_without_a_time_is_answered_without_one(client: Client) -> None:
    _, stream = send(client, [{"deadly": True}, {}, {"deadly": True, "time": "soon"}])
    frames = list(stream)
    assert set(frames[0].info) == set(frames[2].info) == {"error"}
    assert set(errors(frames)) == {0, 2}


def test_frames_that_failed_under_an_earlier_worker_are_counted(client: Client) -> None:
    job, stream = send(client, [{"bad": True}, {"deadly": True}, {}])
    assert set(errors(list(stream))) == {0, 1}
    info = job.result(60).info
    assert info == {"frames": 3, "failed": 2, "warnings": ["frame 2: seen"]}


def test_the_command_line_gets_it_as_the_answer_to_the_frame(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.ready
    for name, value in house.environment.items():
        monkeypatch.setenv(name, value)
    inputs = [FrameInput(f"{facts['time']}.png", list, facts) for facts in lost(4, {1})]
    shoot = Shoot("frail", [], {}, inputs, lambda *_: None)
    with Interrupt() as interrupt:
        answers = list(run_stream(shoot, interrupt, no_daemon=False))
    assert [answer.key for answer in answers] == ["0.png", "10.png", "20.png", "30.png"]
    (failed,) = [answer for answer in answers if answer.error]
    assert failed.key == "10.png"
    assert failed.error is not None
    assert failed.error.code is ErrorCode.worker_died
