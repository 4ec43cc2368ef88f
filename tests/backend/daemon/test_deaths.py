"""Processes that are killed: the worker, the daemon, a client."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from protocol.errors import ErrorCode, NuriError
from protocol.messages import Progress
from tests.backend import drawings

from .house import House, flats_of, is_gone, large, small, until

_STREAM_AND_HANG = """
import sys, time
from protocol.client import Client
from tests.backend.daemon.house import small
client = Client.connect(timeout=30)
job = client.submit("flats", [], frames=300)
for index, frame in enumerate(job.stream(small() for _ in range(300))):
    if index == 5:
        print("under way", flush=True)
        time.sleep(600)
"""


def test_worker_killed_while_it_computes(house: House) -> None:
    house.start()
    client = house.client()
    worker = house.worker_pid(client)
    job = client.submit("flats", large())
    waiting = client.submit("flats", small())
    next(event for event in job.events(60) if isinstance(event, Progress))
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(NuriError, match="signal 9") as caught:
        job.result(60)
    assert caught.value.code is ErrorCode.worker_died
    assert caught.value.info.action
    assert drawings.is_coloured(flats_of(waiting.result(60).outputs))
    second = house.worker_pid(client)
    assert second != worker
    # Between jobs it costs no job at all.
    os.kill(second, signal.SIGKILL)
    until(lambda: client.status().worker["pid"] != second, "the news of its end")
    client.submit("flats", small()).result(60)


def test_worker_that_cannot_live_is_given_up_with_the_reason_in_status(house: House) -> None:
    # The worker's program dies as soon as it begins; waiting times are made short.
    prologue = (
        "import sys; from backend.daemon import supervision;"
        "supervision.BACK_OFF_SECONDS = (0.01, 0.02, 0.03);"
        "supervision.worker_command = lambda: [sys.executable, '-c', 'import nowhere'];"
    )
    house.start(prologue=prologue)
    client = house.client()
    worker = until(
        lambda: (state := client.status().worker)["state"] == "failed" and state, "giving up"
    )
    assert "No module named 'nowhere'" in worker["reason"]
    job = client.submit("flats", small())
    with pytest.raises(NuriError, match="nowhere") as caught:
        job.result(60)
    assert caught.value.code is ErrorCode.worker_died
    # Three starts again after the first, and one more because a job asked for it.
    assert house.log().count("worker: ModuleNotFoundError") == 5


def test_device_that_is_not_there_is_refused_with_its_remedy(house: House) -> None:
    house.start("device='cuda'", prologue=_without_gpu())
    client = house.client()
    worker = until(
        lambda: (state := client.status().worker)["state"] == "failed" and state, "its refusal"
    )
    assert "CUDA was asked for" in worker["reason"]
    assert "--device auto" in worker["reason"]


def test_daemon_killed_while_it_computes(house: House) -> None:
    house.start()
    client = house.client()
    worker = house.worker_pid(client)
    job = client.submit("flats", large())
    next(event for event in job.events(60) if isinstance(event, Progress))
    house.kill()
    with pytest.raises(NuriError) as caught:
        job.result(60)
    assert caught.value.code is ErrorCode.unreachable
    until(lambda: is_gone(worker), "the worker to follow its daemon")
    stale = house.file()
    assert stale.is_stale()
    house.start()
    assert house.file().pid != stale.pid
    house.client().submit("flats", small()).result(60)


def test_client_killed_in_the_middle_of_a_stream(shared: House) -> None:
    watcher = shared.client("watcher")
    process = _streaming_client(shared)
    assert watcher.status().jobs
    process.kill()
    process.wait()
    until(lambda: not watcher.status().jobs, "the end of the stream")
    watcher.submit("flats", small()).result(60)


def test_client_that_hangs_in_the_middle_of_a_stream(shared: House) -> None:
    watcher = shared.client("watcher")
    process = _streaming_client(shared)
    try:
        # Stopped as a whole, its ZeroMQ no longer answers heartbeats.
        process.send_signal(signal.SIGSTOP)
        watcher.submit("flats", small()).result(60)
        until(lambda: watcher.wait(0.5) is not None and not watcher.status().jobs, "its end")
    finally:
        process.kill()
        process.wait()


def _streaming_client(house: House) -> subprocess.Popen[str]:
    process, said = house.script(_STREAM_AND_HANG)
    assert said == "under way"
    return process


def _without_gpu() -> str:
    return "import os; os.environ['CUDA_VISIBLE_DEVICES'] = '';"
