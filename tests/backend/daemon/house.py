"""A real daemon in a private folder, and what the tests ask of it."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from protocol import wire
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Hello, Message, Pong, Status, Welcome
from protocol.pixels import PixelBuffer, PixelFormat
from protocol.processes import start_token
from protocol.sockets import set_client_curve
from protocol.version import PROTOCOL_VERSION
from tests.backend import drawings

PATIENCE = 60.0
# For tests that need no worker: the daemon publishes its connection before one is ready.
AT_ONCE = "from backend.daemon import server; server._PUBLISH_SECONDS = 0.0;"
# An idle daemon stays until `House.let_leave`, however late its first client is on a busy machine.
UNTIL_MET = AT_ONCE + (
    "import os, pathlib; from backend.daemon.lifecycle import IdleClock;"
    "is_over = IdleClock.is_over; IdleClock.is_over = lambda clock, now: is_over(clock, now)"
    " and pathlib.Path(os.environ['NURI_STATE'], 'met').exists();"
)
_PROGRAM = "import sys; from backend.daemon.server import serve; sys.exit(serve({arguments}))"


def until(condition: Callable[[], Any], what: str) -> Any:
    """Waits until ``condition`` gives something true and returns that; no answer is not yet."""
    give_up = time.monotonic() + PATIENCE
    while True:
        late: NuriError | None = None
        try:
            if value := condition():
                return value
        except NuriError as error:
            if error.code is not ErrorCode.unreachable:
                raise
            late = error
        assert time.monotonic() < give_up, f"waited in vain: {what} ({late})"
        time.sleep(0.01)


class PatientClient(Client):
    """A client that waits for answers as long as they may take on a busy machine."""

    def status(self, timeout: float = PATIENCE) -> Status:
        return super().status(timeout)

    def ping(self, timeout: float = PATIENCE) -> Pong:
        return super().ping(timeout)

    def shutdown(self, timeout: float = PATIENCE) -> None:
        super().shutdown(timeout)


class House:
    """A place for one daemon at a time; ``connection`` is its connection file."""

    def __init__(self, folder: Path, connection: Path | None = None) -> None:
        self.folder = folder
        self.connection = connection or folder / "connection.json"
        self.state = folder / "state"
        self.process: subprocess.Popen[str] | None = None
        self._clients: list[Client] = []

    @property
    def environment(self) -> dict[str, str]:
        places = {"NURI_CONNECTION": str(self.connection), "NURI_STATE": str(self.state)}
        return {**os.environ, **places}

    def launch(self, arguments: str = "", prologue: str = "") -> subprocess.Popen[str]:
        """Starts a daemon process with these arguments of `serve`, without waiting."""
        program = prologue + _PROGRAM.format(arguments=arguments)
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def script(self, program: str) -> tuple[subprocess.Popen[str], str]:
        """Another process that runs a program, and the first line that it prints."""
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        with process.stdout:
            return process, process.stdout.readline().strip()

    def start(self, arguments: str = "", prologue: str = "") -> None:
        """Starts the daemon and waits until it has published its connection."""
        self.process = process = self.launch(arguments, prologue)

        def is_published() -> bool:
            if process.poll() is not None:
                assert process.stderr
                raise AssertionError(f"the daemon ended: {process.stderr.read()}")
            try:
                return self.file().pid == process.pid
            except NuriError:
                return False

        until(is_published, "the connection file")

    def file(self) -> ConnectionFile:
        return ConnectionFile.read(self.connection)

    def client(self, name: str = "test") -> Client:
        """A client that is ready; closed with the house."""
        client = PatientClient.open(self.file(), name, patience=PATIENCE)
        self._clients.append(client)
        while not client.ready:
            client.wait(0.1)
            if client.lost:
                raise client.lost
        return client

    def worker_pid(self, client: Client) -> int:
        """Process of a worker that is ready or computing."""

        def pid() -> int:
            worker = client.status().worker
            return int(worker["pid"]) if worker["state"] in ("ready", "computing") else 0

        return int(until(pid, "a ready worker"))

    def log(self) -> str:
        return (self.state / "daemon.log").read_text()

    def let_leave(self) -> None:
        """From now on the idle time of a daemon that was started with `UNTIL_MET` ends it."""
        (self.state / "met").touch()

    def kill(self) -> None:
        """kill -9 of the daemon's front."""
        assert self.process
        self.process.kill()
        self.process.communicate()

    def leave(self) -> int:
        """Waits for the daemon to end by itself; its exit code."""
        assert self.process
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def close_clients(self) -> None:
        while self._clients:
            self._clients.pop().close()

    def close(self) -> None:
        self.close_clients()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=PATIENCE)


class Stranger:
    """A peer that speaks ZeroMQ but need not keep to the protocol."""

    def __init__(self, file: ConnectionFile, *, curve: bool = True) -> None:
        self._context = zmq.Context()
        self.control = self._context.socket(zmq.DEALER)
        self.work = self._context.socket(zmq.DEALER)
        for socket, endpoint in ((self.control, file.control), (self.work, file.work)):
            socket.linger = 0
            if curve and file.uses_curve:
                set_client_curve(socket, file)
            socket.connect(endpoint)

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *_: object) -> None:
        self.control.close()
        self.work.close()
        self._context.term()

    def greet(self, protocol: str = PROTOCOL_VERSION) -> Message:
        """Says hello; the answer."""
        self.control.send_multipart(wire.encode(Hello(protocol=protocol, client="stranger")))
        return self.hear(self.control)

    def session(self) -> str:
        welcome = self.greet()
        assert isinstance(welcome, Welcome)
        return welcome.session

    def say(self, socket: Any, message: Message, session: str = "") -> None:
        socket.send_multipart(wire.encode(message, session))

    def hear(self, socket: Any) -> Message:
        assert socket.poll(int(1000 * PATIENCE)), "no answer"
        return wire.decode(socket.recv_multipart())


@contextmanager
def paused(pid: int) -> Iterator[int]:
    """A process stands still meanwhile: a worker's job goes on for as long as a test needs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def is_gone(pid: int) -> bool:
    """True for a process that has ended."""
    return start_token(pid) == ""


def peak_memory(pid: int) -> int:
    """The most bytes that a process ever had resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def small() -> list[PixelBuffer]:
    """The inputs of a job that takes a moment."""
    return _planes(drawings.line(), drawings.hints())


@functools.cache
def large(side: int = 5000) -> list[PixelBuffer]:
    """The inputs of a job that takes long: a noisy scan of many boxes."""
    noise = np.random.default_rng(1).integers(0, 60, (side, side), np.uint8)
    line = (250 - noise).astype(np.uint8)
    for place in range(50, side, 100):
        line[place : place + 5] = noise[place : place + 5]
        line[:, place : place + 5] = noise[:, place : place + 5]
    hints = np.zeros((side, side, 4), np.uint8)
    hints[100:105, 100:105] = (200, 10, 20, 255)
    return _planes(line, hints)


def _planes(line: np.ndarray, hints: np.ndarray) -> list[PixelBuffer]:
    height, width = line.shape
    return [
        PixelBuffer("line", width, height, PixelFormat.gray8, line.data),
        PixelBuffer("hints", width, height, PixelFormat.rgba8, hints.data),
    ]


def flats_of(result: Any) -> np.ndarray:
    """(H, W, 4) of the output flats."""
    (plane,) = [plane for plane in result if plane.name == "flats"]
    return np.frombuffer(plane.data, np.uint8).reshape(plane.height, plane.width, 4)
