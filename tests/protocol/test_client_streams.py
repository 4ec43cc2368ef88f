"""Streams of frames between the client and a real daemon process: order, credit, facts."""

from __future__ import annotations

from protocol.client import Client
from protocol.errors import ErrorCode
from protocol.messages import Frame
from protocol.pixels import PixelBuffer

from .conftest import StartDaemon
from .examples import picture
from .polling import code_of, poll_until


def planes_of(count: int) -> list[list[PixelBuffer]]:
    return [[picture(f"frame-{index}")] for index in range(count)]


def test_a_stream_of_frames(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        inputs = planes_of(30)
        job = client.submit("stream", [], frames=30)
        outputs = list(job.stream(inputs))
        assert [frame.index for frame in outputs] == list(range(30))
        assert [list(frame.planes) for frame in outputs] == inputs
        assert job.state == "done"


def test_a_stream_from_an_event_loop(start_daemon: StartDaemon) -> None:
    """As Krita does: send while there is credit, take what came, never wait."""
    start_daemon()
    client = Client.open()
    inputs = planes_of(9)
    job = client.submit("stream", [], frames=9)
    taken: list[Frame] = []
    sent = 0
    while not job.is_finished:
        client.poll()
        while job.input_credit > 0 and sent < 9:
            job.send_frame(sent, inputs[sent], timeout=0)
            sent += 1
        taken += job.take_frames()
    assert [frame.index for frame in taken + job.take_frames()] == list(range(9))
    client.close()


def test_frames_need_credit(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("stream-stuck", [], frames=9)
        assert code_of(lambda: job.send_frame(0, [], timeout=0)) is ErrorCode.busy
        poll_until(client, lambda: job.state == "queued")
        job.send_frame(0, [picture()])
        job.send_frame(1, [picture()])
        assert job.input_credit == 0
        assert code_of(lambda: job.send_frame(2, [], timeout=0)) is ErrorCode.busy
        assert code_of(lambda: job.send_frame(2, [], timeout=0.1)) is ErrorCode.deadline
        job.cancel()
        assert code_of(lambda: job.send_frame(2, [])) is ErrorCode.cancelled
        assert code_of(lambda: list(job.frames())) is ErrorCode.cancelled


def test_sending_all_before_taking_any_is_no_deadlock(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("stream", [], frames=20)

        def send_all() -> None:
            for index, planes in enumerate(planes_of(20)):
                job.send_frame(index, planes)

        assert code_of(send_all) is ErrorCode.busy
        assert job.take_frames()


def test_facts_of_a_frame_travel_with_it(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect(timeout=60) as client:
        job = client.submit("stream", [], frames=2)
        for index in range(2):
            job.send_frame(index, [picture()], 60, {"time": 7 * index})
        assert [frame.info for frame in job.frames()] == [{"time": 0}, {"time": 7}]


def test_frames_of_a_stream_that_was_broken_off_are_fetched(start_daemon: StartDaemon) -> None:
    start_daemon()
    inputs = planes_of(3)
    with Client.connect(timeout=60) as client:
        job = client.submit("stream", [], frames=9)
        for index, planes in enumerate(inputs):
            job.send_frame(index, planes, 60, {"time": 7 * index})
            poll_until(client, lambda index=index: len(job.take_frames()) == 1)
        assert code_of(lambda: client.fetch_frame(job.id, 0)) is ErrorCode.not_found
    with Client.connect(timeout=60) as client:
        # Frames of a stream under way are no answers to what is asked of another.
        other = client.submit("stream", [], frames=9)
        other.send_frame(0, [picture("other")], 60)
        for index, planes in enumerate(inputs):
            frame = client.fetch_frame(job.id, index)
            assert (frame.job, frame.index, frame.info) == (job.id, index, {"time": 7 * index})
            assert list(frame.planes) == planes
        assert code_of(lambda: client.fetch_frame(job.id, 3)) is ErrorCode.not_found
        assert code_of(lambda: client.fetch(job.id)) is ErrorCode.not_found
        poll_until(client, lambda: len(other.take_frames()) == 1)
