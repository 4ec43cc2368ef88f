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


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("RuntimeError('no kernel\\nfor this processor')", "no kernel for this processor"),
        ("MemoryError()", "not enough memory to start the computing process"),
    ],
)
def test_a_worker_that_fails_while_it_warms_up_says_why(
    house: House, mistake: str, words: str
) -> None:
    house.start(prologue=_worker(f"job.warm_up = lambda: (_ for _ in ()).throw({mistake})"))
    client = house.client()
    job = client.submit("flats", small())
    with pytest.raises(NuriError, match=words) as caught:
        job.result(60)
    assert caught.value.code is ErrorCode.worker_died
    assert words in client.status().worker["reason"]
    assert "signal" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_worker_that_breaks_off_or_makes_a_mistake_says_why(house: House) -> None:
    abort = "os.write(2, b'terminate called\\n  what():  std::bad_alloc\\n'), os.abort()"
    house.start(prologue=_worker(f"worker.Computation = lambda *_: ({abort})"))
    client = house.client()
    with pytest.raises(NuriError, match=r"signal 6: +what\(\): +std::bad_alloc"):
        client.submit("flats", small()).result(60)
    house.close()
    house.start(prologue=_worker("worker.Computation = lambda *_: {}['nothing']"))
    client = house.client()
    with pytest.raises(NuriError, match="ended with code 1: KeyError: 'nothing'"):
        client.submit("flats", small()).result(60)


@pytest.mark.parametrize(
    "mistake",
    [
        "MemoryError()",
        "RuntimeError('DefaultCPUAllocator: can\\'t allocate memory')",
        "NuriError(ErrorCode.model_missing, 'no weights') from OSError(12, 'Cannot allocate')",
    ],
)
def test_too_little_memory_in_a_task_is_told_as_that(house: House, mistake: str) -> None:
    task = f"def task(request):\n    raise {mistake}\njob.TASKS['flats'] = task"
    house.start(prologue=_worker("from protocol.errors import ErrorCode, NuriError\n" + task))
    with pytest.raises(NuriError, match="not enough memory for a picture of this size") as caught:
        house.client().submit("flats", small()).result(60)
    assert caught.value.code is ErrorCode.no_memory


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


def _worker(change: str) -> str:
    """For a daemon whose worker begins with a ``change`` of the program."""
    program = (
        f"import os\nfrom backend.daemon import worker\nfrom backend.tasks import job\n{change}"
    )
    program += "\nos._exit(worker.main())"
    return (
        "import sys; from backend.daemon import supervision;"
        "supervision.BACK_OFF_SECONDS = (0.01, 0.02, 0.03);"
        f"supervision.worker_command = lambda: [sys.executable, '-c', {program!r}];"
    )


def _without_gpu() -> str:
    return "import os; os.environ['CUDA_VISIBLE_DEVICES'] = '';"
