"""The two sockets of a client: sends and receives what is possible right now, never blocks."""

from __future__ import annotations

import time
from collections import deque

import zmq

from . import wire
from .connection import ConnectionFile
from .errors import ErrorCode, NuriError
from .messages import Hello, Message, Submit
from .sockets import CONTROL_HIGH_WATER, WORK_HIGH_WATER, set_client_curve, set_options
from .watch import ConnectionWatch, unreachable

# More than this in one call would hold up the caller's event loop; the rest waits for the next.
_MESSAGES_AT_ONCE = 64
_WAIT_SECONDS = 0.25
_SENDING_WAIT_SECONDS = 0.01


class Link:
    """Connects both sockets and says hello. What is sent waits here until ``session`` is set.

    Raises `NuriError` unreachable for an endpoint or key that ZeroMQ cannot use.
    """

    def __init__(self, connection: ConnectionFile, hello: Hello) -> None:
        self.session = ""
        self._connection = connection
        self._unsent_work: deque[Message] = deque()
        self._unsent_control: deque[Message] = deque()
        self._context = zmq.Context(io_threads=1)
        try:
            self._control = self._socket(CONTROL_HIGH_WATER)
            self._work = self._socket(WORK_HIGH_WATER)
            self._watch = ConnectionWatch(connection, (self._control, self._work))
            self._poller = zmq.Poller()
            for socket in (self._control, self._work, *self._watch.sockets):
                self._poller.register(socket, zmq.POLLIN)
            self._control.connect(connection.control)
            self._work.connect(connection.work)
            self._control.send_multipart(wire.encode(hello), zmq.NOBLOCK)
        except (zmq.ZMQError, ValueError) as error:
            # An endpoint or key that ZeroMQ cannot take.
            self._context.destroy(linger=0)
            raise unreachable(f"Cannot connect to {connection.control}: {error}") from error

    def send_work(self, message: Message) -> None:
        """Sends on the work socket, now or as soon as it takes it."""
        self._unsent_work.append(message)
        self.flush()

    def send_control(self, message: Message) -> None:
        """Sends on the control socket, now or as soon as it takes it."""
        self._unsent_control.append(message)
        self.flush()

    def unsent_submits(self) -> list[Submit]:
        """The jobs that the daemon cannot know yet."""
        return [message for message in self._unsent_work if isinstance(message, Submit)]

    def take_back(self, job_id: str) -> bool:
        """Forgets a job whose `Submit` has not been sent; False when it has."""
        if all(message.job != job_id for message in self.unsent_submits()):
            return False
        kept = [m for m in self._unsent_work if getattr(m, "job", "") != job_id]
        self._unsent_work = deque(kept)
        return True

    def flush(self) -> None:
        """Sends what waits, as far as the sockets take it now."""
        if not self.session:
            return
        self._send_all(self._control, self._unsent_control)
        self._send_all(self._work, self._unsent_work)

    def receive(self) -> tuple[list[Message], NuriError | None]:
        """(what has arrived, the reason why nothing more will, or None)."""
        # Asked before the sockets are emptied: what came before the end still counts.
        reason = self._watch.check(was_ready=bool(self.session))
        messages: list[Message] = []
        for socket in (self._control, self._work):
            room = _MESSAGES_AT_ONCE
            while room > 0 or reason:
                room -= 1
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
                except zmq.Again:
                    break
                try:
                    messages.append(wire.decode(frames))
                except NuriError as error:
                    if error.code is not ErrorCode.unsupported:
                        return messages, error
                    _warn(f"ignored a message of a newer daemon: {error}")
        return messages, reason

    def wait(self, give_up: float) -> None:
        """Sleeps until something arrives, at most a moment and not beyond ``give_up``."""
        is_sending = self.session and (self._unsent_control or self._unsent_work)
        step = _SENDING_WAIT_SECONDS if is_sending else _WAIT_SECONDS
        left = min(step, max(give_up - time.monotonic(), 0.0))
        self._poller.poll(int(1000 * left) + 1)

    def close(self) -> None:
        """Closes the sockets at once; what waits is dropped."""
        self._watch.close()
        self._context.destroy(linger=0)

    def _socket(self, high_water: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        set_options(socket, high_water=high_water, is_local=self._connection.is_local)
        if self._connection.uses_curve:
            set_client_curve(socket, self._connection)
        return socket

    def _send_all(self, socket: zmq.Socket[bytes], unsent: deque[Message]) -> None:
        while unsent:
            frames = wire.encode(unsent[0], self.session)
            try:
                socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            unsent.popleft()


def _warn(text: str) -> None:
    # Imported here: logging would be a tenth of the client's start-up.
    import logging

    logging.getLogger(__name__).warning(text)
