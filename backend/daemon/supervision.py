"""The worker process, seen from the daemon: started, watched, restarted, killed.

Every start of a worker has a socket of its own, so that nothing of a dead one is ever read as
the words of its successor. The worker's standard input carries cancel requests; when it closes,
also because the daemon was killed, the worker ends.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

import zmq

from protocol import wire
from protocol.launch import clean_environment
from protocol.messages import Message, Welcome

from .endpoints import Gate, bind_private, socket_name
from .mailbox import Mailbox
from .memory import process_memory

BACK_OFF_SECONDS = (1.0, 3.0, 10.0)
START_SECONDS = 60.0
_STOP_SECONDS = 1.0
_ABORT, _KILL = 6, 9  # numbers of signals, the same wherever there are any
_DUMP = "Fatal Python error"
if sys.platform == "win32":
    _FLAGS = subprocess.CREATE_NO_WINDOW
else:
    _FLAGS = 0
_logger = logging.getLogger("nuri.daemon")


def worker_command() -> list[str]:
    """Isolated from the variables and the folder that the daemon was started with."""
    return [sys.executable, "-I", "-m", "backend.daemon.worker"]


class Supervisor:
    """One worker at a time. ``state``: starting, ready, ending (killed, but not gone yet), waiting
    (to restart), failed or stopped.

    ``generation`` counts starts. ``reason``: why the last worker ended or could not start.
    ``welcome``: what the worker said of itself when it was ready, kept while it restarts.
    ``link``: its socket, None while there is none; used by the work loop alone. Posts
    ("exit", generation, code) when a worker process has ended.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        gate: Gate,
        mailbox: Mailbox,
        folder: Path,
        device: str,
        command: list[str] | None = None,
    ) -> None:
        self.state = "stopped"
        self.generation = 0
        self.reason = ""
        self.welcome: Welcome | None = None
        self.link: Any = None
        self._context = context
        self._gate = gate
        self._mailbox = mailbox
        self._folder = folder
        self._device = device
        self._command = command or worker_command()
        self._process: subprocess.Popen[bytes] | None = None
        self._crashes = 0
        self._due = 0.0
        self._is_expected = False
        self._refusal = ""
        self._obstacle = ""
        self._is_overdue = False
        self._last_words: deque[str] = deque(maxlen=1)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_restless(self) -> bool:
        """True while something is due soon that no message will tell of."""
        return self.state in ("starting", "waiting")

    def describe(self) -> dict[str, Any]:
        """The field `Status.worker`; ``memory`` in bytes, -1 where the system does not tell."""
        memory = process_memory(self.pid) if self.pid else 0
        table = {"state": self.state, "pid": self.pid, "memory": memory}
        return {**table, "reason": self.reason} if self.reason else table

    def start(self) -> None:
        """Starts a worker; it is ready when its `Welcome` has come through `greet`."""
        self.generation += 1
        self.state = "starting"
        self._due = time.monotonic() + START_SECONDS
        self._is_expected = False
        self._refusal = ""
        self._obstacle = ""
        self._is_overdue = False
        self._last_words.clear()
        self.link = self._context.socket(zmq.PAIR)
        self.link.linger = 0
        self.link.affinity = 1 << 1
        name = self._socket_name()
        (endpoint,), server, client = bind_private([self.link], [name], self._folder, self._gate)
        settings = {
            "endpoint": endpoint,
            "device": self._device,
            "server_public_key": server.public if server else "",
            "client_public_key": client.public if client else "",
            "client_secret_key": client.secret if client else "",
        }
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=clean_environment(),
                # Away from the terminal's Ctrl-C: the daemon decides when the worker ends.
                start_new_session=True,
                creationflags=_FLAGS,
            )
        except OSError as error:
            self._obstacle = f"The computing process cannot be started: {error}"
            self._mailbox.post("exit", self.generation, 0)
            return
        self._tell(settings)
        threading.Thread(
            target=self._watch, args=(self._process, self.generation), daemon=True
        ).start()

    def greet(self, welcome: Welcome) -> None:
        """The worker is ready, unless it has been killed meanwhile."""
        if self.state != "starting":
            return
        self.state = "ready"
        self.welcome = welcome
        _logger.info("worker %d is ready on %s", self.pid, welcome.device)

    def refuse(self, reason: str) -> None:
        """The worker says why it cannot work at all; trying again would not help."""
        self._refusal = reason

    def praise(self) -> None:
        """A job or frame is done with, so earlier crashes are forgotten."""
        self._crashes = 0
        self.reason = ""

    def send(self, frames: list[Any]) -> None:
        """Hands wire frames to the worker without copying them; lost when it is just dying."""
        if self.link is None:
            return
        try:
            self.link.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            # A living worker has room, as it gets one job or frame at a time: its end is coming.
            _logger.info("worker %d takes nothing any more", self.pid)

    def send_message(self, message: Message) -> None:
        self.send(wire.encode(message))

    def ask_to_cancel(self, job: str) -> None:
        """Raises the cancel flag of ``job`` in the worker."""
        self._tell({"cancel": job})

    def kill(self, reason: str) -> None:
        """Ends the worker at once, on purpose; its successor starts without delay."""
        _logger.warning("killing worker %d: %s", self.pid, reason)
        self._is_expected = True
        self._end()

    def note_exit(self, code: int) -> None:
        """The worker process has ended: restarts at once after a `kill`, else with back-off."""
        self._close_link()
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = None
        if self._is_expected:
            self.start()
            return
        self.reason = self._refusal or self._cause(code)
        if self._crashes < len(BACK_OFF_SECONDS) and not self._refusal:
            delay = BACK_OFF_SECONDS[self._crashes]
            self._crashes += 1
            self.state = "waiting"
            self._due = time.monotonic() + delay
            _logger.error("%s; next start in %g s", self.reason, delay)
        else:
            self.state = "failed"
            _logger.error("%s; not started again by itself", self.reason)

    def revive(self) -> None:
        """One more start of a worker that had failed for good, because a user asks for it."""
        if self.state == "failed":
            self.start()

    def tick(self, now: float) -> None:
        """Restarts a worker whose waiting time is over, ends one that hangs while starting."""
        if self.state == "waiting" and now >= self._due:
            self.start()
        elif self.state == "starting" and now >= self._due and self._process:
            self._is_overdue = True
            self._end()

    def stop(self) -> None:
        """Ends the worker for good."""
        self.state = "stopped"
        process, self._process = self._process, None
        if process and process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._close_link()

    def _end(self) -> None:
        if self._process:
            self.state = "ending"
            self._process.kill()

    def _cause(self, code: int) -> str:
        if self._obstacle:
            return self._obstacle
        if self._is_overdue:
            return f"The computing process was not ready after {START_SECONDS:g} s"
        words = f": {self._last_words[-1]}" if self._last_words else ""
        if code == -_ABORT:
            return f"The computing process broke off by signal {_ABORT}{words}"
        if code == -_KILL:
            return f"The computing process was ended by signal {_KILL}, perhaps for want of memory"
        if code < 0:
            return f"The computing process was ended by signal {-code}"
        return f"The computing process ended with code {code}{words}"

    def _tell(self, command: dict[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            # It is dying; its exit is on the way and tells more.
            _logger.info("the worker does not listen: %s", error)

    def _close_link(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None
            (self._folder / self._socket_name()).unlink(missing_ok=True)

    def _socket_name(self) -> str:
        return socket_name(f"worker{self.generation}")

    def _watch(self, process: subprocess.Popen[bytes], generation: int) -> None:
        """On a thread of its own: the worker's words go to the log, its end to the mailbox."""
        reader = threading.Thread(target=self._log_output, args=(process.stdout,), daemon=True)
        reader.start()
        code = process.wait()
        reader.join(_STOP_SECONDS)
        self._mailbox.post("exit", generation, code)

    def _log_output(self, output: IO[bytes]) -> None:
        is_dump = False  # of faulthandler, which tells where, but no reason
        with output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                is_dump = is_dump or text.startswith(_DUMP)
                if text and not is_dump:
                    self._last_words.append(text[:300])
                if text:
                    _logger.info("worker: %s", text)
