"""Finished frames of streams, fetched by a client that comes back."""

from __future__ import annotations

import numpy as np
import pytest

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Frame
from protocol.pixels import PixelBuffer, PixelFormat

from . import frail
from .house import House, until

_SIDE = 90
# Takes four frames and is killed in the middle of the fifth, with others on their way.
_STREAM_AND_HANG = """
import time
from protocol.client import Client
from tests.backend.daemon.test_kept_frames import noise
client = Client.connect(timeout=30)
job = client.submit("frail", [], frames=300, document="shot")
for index, frame in enumerate(job.stream([noise(index)] for index in range(300))):
    if index == 4:
        print(job.id, flush=True)
        time.sleep(600)
"""


def noise(index: int) -> PixelBuffer:
    """A picture that does not shrink when it is compressed."""
    data = np.random.default_rng(index).integers(0, 256, _SIDE * _SIDE, np.uint8)
    return PixelBuffer("noise", _SIDE, _SIDE, PixelFormat.gray8, data.tobytes())


def fetch_all(client: Client, job: str) -> list[Frame]:
    """As a client does that does not know how far the stream came."""
    frames: list[Frame] = []
    while True:
        try:
            frames.append(client.fetch_frame(job, len(frames)))
        except NuriError as error:
            assert error.code is ErrorCode.not_found
            return frames


def check(frames: list[Frame], count: int) -> None:
    assert [frame.index for frame in frames] == list(range(count))
    assert [frame.planes for frame in frames] == [(noise(index),) for index in range(count)]


@pytest.fixture
def client(house: House) -> Client:
    """Of a daemon whose worker is the frail one."""
    house.start(prologue=frail.PROLOGUE)
    return house.client()


def test_frames_of_a_killed_client_are_fetched(house: House, client: Client) -> None:
    process, job = house.script(_STREAM_AND_HANG)
    with pytest.raises(NuriError, match="not ended yet"):
        client.fetch_frame(job, 0)
    process.kill()
    process.wait()
    until(lambda: not client.status().jobs, "the end of the stream")
    frames = fetch_all(client, job)
    assert len(frames) >= 5
    check(frames, len(frames))
    with pytest.raises(NuriError, match=f"Frame {len(frames)} of job {job} is not kept"):
        client.fetch_frame(job, len(frames))
    with pytest.raises(NuriError, match="The result of job") as caught:
        client.fetch(job)
    assert caught.value.code is ErrorCode.not_found
    (entry,) = client.status().kept
    assert (entry["job"], entry["task"], entry["document"]) == (job, "frail", "shot")
    assert entry["frames"] == len(frames)
    assert entry["bytes"] >= len(frames) * _SIDE * _SIDE


def test_frames_survive_the_daemon(house: House, client: Client) -> None:
    job = client.submit("frail", [], frames=9)
    for index in range(3):
        job.send_frame(index, [noise(index)], info={"time": 10 * index})
    taken: list[Frame] = []

    def all_came() -> bool:
        client.wait(0.1)
        taken.extend(job.take_frames())
        return len(taken) == 3

    until(all_came, "the frames")
    client.cancel(job.id)
    until(lambda: client.wait(0.1) is not None and job.is_finished, "its end")
    # The answer shows that they have been written.
    client.fetch_frame(job.id, 2)
    house.kill()
    house.start(prologue=frail.PROLOGUE)
    frames = fetch_all(house.client(), job.id)
    check(frames, 3)
    assert [frame.info["time"] for frame in frames] == [0, 10, 20]


def test_a_finished_stream_keeps_its_result_and_the_frames_that_failed(client: Client) -> None:
    job = client.submit("frail", [], frames=3)
    for index, facts in enumerate(({"deadly": True}, {"bad": True}, {})):
        job.send_frame(index, [noise(index)], info=facts)
    sent = list(job.frames())
    assert client.fetch(job.id) == job.result()
    assert fetch_all(client, job.id) == sent
    assert [frame.info["error"]["code"] for frame in sent[:2]] == ["worker_died", "bad_input"]


def test_frames_that_were_not_to_be_kept_are_not(client: Client) -> None:
    job = client.submit("frail", [], frames=2, keep=False)
    assert len(list(job.stream([noise(index)] for index in range(2)))) == 2
    assert fetch_all(client, job.id) == []
    single = client.submit("frail", [noise(0)])
    single.result(60)
    assert fetch_all(client, single.id) == []
    assert [(entry["job"], entry["frames"]) for entry in client.status().kept] == [(single.id, 0)]


def test_a_full_disk_costs_the_later_frames_alone(house: House) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000));"
    house.start(prologue=frail.PROLOGUE + limit)
    client = house.client()
    job = client.submit("frail", [], frames=8)
    check(list(job.stream([noise(index)] for index in range(8))), 8)
    check(fetch_all(client, job.id), 3)
    assert client.fetch(job.id).info["frames"] == 8
    assert house.log().count("not kept") == 1
    assert f"[{job.id}] frame 3 not kept: the disk is full" in house.log()
