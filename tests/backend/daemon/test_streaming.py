"""Jobs whose frames come and go one by one."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Accepted, Credit, Failed, Frame, Message, Result, Submit
from protocol.pixels import PixelBuffer, PixelFormat
from tests.backend import drawings

from .house import PATIENCE, House, Stranger, flats_of, large, peak_memory, small, until

FRAMES = 40


def with_ballast(megabytes: int) -> list[PixelBuffer]:
    """A small drawing with a large picture beside it that the task does not look at."""
    ballast = np.zeros((1024 * megabytes, 1024), np.uint8)
    plane = PixelBuffer("ballast", 1024, 1024 * megabytes, PixelFormat.gray8, ballast.data)
    return [*small(), plane]


def test_forty_frames_in_order_and_exact(shared: House) -> None:
    job = shared.client().submit("flats", [], frames=FRAMES)
    indices = []
    for frame in job.stream(small() for _ in range(FRAMES)):
        indices.append(frame.index)
        assert drawings.is_coloured(flats_of(frame.planes))
    assert indices == list(range(FRAMES))
    result = job.result(60)
    assert result.outputs == ()
    assert result.info["frames"] == FRAMES


def test_what_all_frames_share_is_sent_once(shared: House) -> None:
    line, hints = small()
    job = shared.client().submit("flats", [hints], frames=3)
    for frame in job.stream([line] for _ in range(3)):
        assert drawings.is_coloured(flats_of(frame.planes))
    job.result(60)


def test_memory_of_the_daemon_stays_bounded(house: House) -> None:
    """640 MB pass through a daemon that holds a few frames at a time."""
    house.start()
    client = house.client()
    worker = house.worker_pid(client)
    job = client.submit("flats", [], frames=FRAMES)
    ballast = with_ballast(16)
    assert sum(1 for _ in job.stream(ballast for _ in range(FRAMES))) == FRAMES
    assert peak_memory(house.file().pid) < 320 << 20
    assert peak_memory(worker) < 480 << 20


def test_client_that_takes_no_results_gets_no_more_than_a_window(shared: House) -> None:
    with Stranger(shared.file()) as stranger:
        session = stranger.session()
        stranger.say(stranger.work, Submit(job="slow", task="flats", frames=FRAMES), session)
        sent, granted, received = 0, 0, []
        accepted = stranger.hear(stranger.work)
        assert isinstance(accepted, Accepted)
        granted = window = accepted.window
        watcher = shared.client()
        while True:
            while sent < granted:
                frame = Frame(job="slow", index=sent, planes=tuple(small()))
                stranger.say(stranger.work, frame, session)
                sent += 1
            if granted >= 2 * window and len(received) >= window:
                break
            message = stranger.hear(stranger.work)
            granted += message.count if isinstance(message, Credit) else 0
            received += [message.index] if isinstance(message, Frame) else []
        assert received == list(range(window))
        assert granted == 2 * window
        more: list[Message] = []
        while stranger.work.poll(1500):
            more.append(stranger.hear(stranger.work))
        assert not [message for message in more if isinstance(message, (Credit, Frame))]
        # Nothing stands still meanwhile: the worker serves others.
        watcher.submit("flats", small()).result(60)
        stranger.say(stranger.work, Credit(job="slow", count=1), session)
        until(lambda: more.append(stranger.hear(stranger.work)) or isinstance(more[-1], Frame), "")
        assert more[-1].index == window  # type: ignore[attr-defined]


@pytest.mark.parametrize("indices", [[1], [0, 0], [0, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
def test_frames_out_of_turn_or_without_credit_fail_the_job(
    shared: House, indices: list[int]
) -> None:
    """The ten at once go over the window before a single one can be computed."""
    client = shared.client()
    worker = shared.worker_pid(client)
    os.kill(worker, signal.SIGSTOP)
    try:
        with Stranger(shared.file()) as stranger:
            session = stranger.session()
            job = "odd" + "-".join(map(str, indices))
            stranger.say(stranger.work, Submit(job=job, task="flats", frames=20), session)
            for index in indices:
                stranger.say(stranger.work, Frame(job=job, index=index), session)
            os.kill(worker, signal.SIGCONT)
            answers: list[Message] = []
            until(
                lambda: (
                    answers.append(stranger.hear(stranger.work)) or isinstance(answers[-1], Failed)
                ),
                "its failure",
            )
            assert isinstance(answers[-1], Failed)
            assert answers[-1].error.code in (ErrorCode.malformed, ErrorCode.bad_input)
    finally:
        os.kill(worker, signal.SIGCONT)
    client.submit("flats", small()).result(60)


def test_frame_for_a_job_that_is_no_stream_fails_it(shared: House) -> None:
    client = shared.client()
    job = client.submit("flats", large())
    client.send_work(Frame(job=job.id, index=0))
    with pytest.raises(NuriError, match="no stream"):
        job.result(60)


def test_failing_frame_names_itself_and_keeps_those_before(shared: House) -> None:
    job = shared.client().submit("flats", [], frames=4)
    inputs = [small(), small(), small()[:1], small()]
    frames = job.stream(inputs)
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(NuriError, match="Frame 2") as caught:
        next(frames)
    assert caught.value.code is ErrorCode.bad_input


def test_cancel_between_and_within_frames(shared: House) -> None:
    client = shared.client()
    for inputs in (small(), large()):
        job = client.submit("flats", [], frames=FRAMES)
        job.send_frame(0, inputs)
        if inputs[0].width < 1000:
            next(job.frames())
        else:
            until(lambda job=job: client.ping().job == job.id, "the start of the frame")
        job.cancel()
        with pytest.raises(NuriError) as caught:
            job.result(60)
        assert caught.value.code is ErrorCode.cancelled
    client.submit("flats", small()).result(60)


def test_silent_client_fails_its_stream_after_the_deadline(shared: House) -> None:
    client = shared.client()
    for deadline in (0.5, 5.0, 50.0):  # the first frame has to be computed in that time as well
        job = client.submit("flats", [], frames=3, deadline=deadline)
        job.send_frame(0, small())
        with pytest.raises(NuriError) as caught:
            job.result(2 * PATIENCE)
        assert caught.value.code is ErrorCode.deadline
        if [frame.index for frame in job.take_frames()] == [0]:
            break
    assert f"waited more than {deadline:g} s" in str(caught.value)


def test_interactive_job_passes_between_the_frames(shared: House) -> None:
    client = shared.client()
    stream = client.submit("flats", [], frames=2, lane="batch")
    stream.send_frame(0, small())
    first = next(stream.frames())
    assert first.index == 0
    client.submit("flats", small()).result(60)
    assert not stream.is_finished
    stream.send_frame(1, small())
    assert isinstance(stream.result(60), Result)


def test_stream_goes_on_at_the_frame_at_which_its_worker_died(house: House) -> None:
    house.start()
    client = house.client()
    worker = house.worker_pid(client)
    stream = client.submit("flats", [], frames=3)
    for index, inputs in enumerate((small(), large(), small())):
        stream.send_frame(index, inputs)
    frames = stream.frames()
    assert next(frames).index == 0
    until(lambda: client.wait(0.01) is not None and stream.progress.frame == 1, "the large frame")
    os.kill(worker, signal.SIGKILL)
    assert [frame.index for frame in frames] == [1, 2]
    assert stream.result(60).info["frames"] == 3


def test_stream_goes_on_with_a_new_worker(shared: House) -> None:
    """Another job's worker was killed; frames need nothing of the worker before."""
    client: Client = shared.client()
    stream = client.submit("flats", small(), frames=3, lane="batch")
    stream.send_frame(0, [])
    assert next(stream.frames()).index == 0
    worker = shared.worker_pid(client)
    os.kill(worker, signal.SIGKILL)
    until(lambda: client.status().worker["pid"] != worker, "the news of its end")
    for index in (1, 2):
        stream.send_frame(index, [])
    assert [frame.index for frame in stream.frames()] == [1, 2]
    assert stream.result(60).info["frames"] == 3
