"""The worker process as the daemon holds it, without a daemon around it."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from backend.daemon.endpoints import Gate
from backend.daemon.mailbox import Mailbox
from backend.daemon.supervision import Supervisor
from protocol.messages import Welcome

from .house import PATIENCE, until

READY = Welcome(
    protocol="1.0", version="", session="s", pid=1, device="cpu", models=[], tasks=["flats"]
)
Employ = Callable[[list[str]], Supervisor]
SLEEPING = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture
def context() -> Iterator[zmq.Context]:
    made = zmq.Context(io_threads=2)
    yield made
    made.destroy(linger=0)


@pytest.fixture
def employ(context: zmq.Context, mailbox: Mailbox) -> Iterator[Employ]:
    """Gives a supervisor that has started a worker of this command."""
    made = []
    before = set(threading.enumerate())

    def start(command: list[str]) -> Supervisor:
        made.append(Supervisor(context, Gate(context), mailbox, Path(folder), "cpu", command))
        made[-1].start()
        return made[-1]

    with tempfile.TemporaryDirectory(prefix="nuri-") as folder:
        yield start
        for worker in made:
            worker.stop()
        for watching in set(threading.enumerate()) - before:
            watching.join(PATIENCE)


def exit_of(mailbox: Mailbox) -> int:
    ((_, _, code),) = until(mailbox.take_all, "the end of the process")
    return int(code)


def test_a_worker_that_cannot_be_started_says_why(employ: Employ, mailbox: Mailbox) -> None:
    worker = employ(["/gone/bin/python"])
    worker.note_exit(exit_of(mailbox))
    assert worker.state == "waiting"
    assert "cannot be started" in worker.reason
    assert "/gone/bin/python" in worker.reason
    assert "signal" not in worker.reason


def test_a_killed_worker_gets_no_more_jobs(employ: Employ, mailbox: Mailbox) -> None:
    worker = employ(SLEEPING)
    worker.greet(READY)
    assert worker.state == "ready"
    worker.kill("it does not stop")
    assert worker.state == "ending"
    worker.greet(READY)
    assert worker.state == "ending"
    worker.note_exit(exit_of(mailbox))
    assert worker.state == "starting"
    assert worker.generation == 2


def test_one_that_is_ready_too_late_gets_none_either(employ: Employ, mailbox: Mailbox) -> None:
    worker = employ(SLEEPING)
    worker.tick(float("inf"))
    worker.greet(READY)
    assert worker.state == "ending"
    worker.note_exit(exit_of(mailbox))
    assert worker.state == "waiting"
    assert "was not ready" in worker.reason
