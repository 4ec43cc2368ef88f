"""The clients of the daemon: handshake, their two connections, and when they are gone."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from protocol import limits, version
from protocol.errors import ErrorCode, NuriError, one_line
from protocol.messages import Hello, Refused


@dataclass
class Session:
    """One client. ``client``: its name, fit to be shown. ``connection``: the control connection it
    lives with (-1: not told); ``work``: routing id on the work socket, b"" until its first message
    there."""

    id: str
    client: str
    pid: int
    connection: int
    work: bytes = b""


class Sessions:
    """All clients; used by the control thread and the work loop."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, hello: Hello, connection: int) -> Session:
        """The session of this connection. Raises `NuriError` too_many_clients."""
        with self._lock:
            for session in self._sessions.values():
                if session.connection == connection >= 0:
                    return session
            if len(self._sessions) >= self._bound:
                raise NuriError(
                    ErrorCode.too_many_clients,
                    f"The backend serves {self._bound} clients already",
                    "Close a program that uses Nuri, or run `nuri stop`",
                )
            name = one_line(hello.client, limits.NAME)
            session = Session(secrets.token_urlsafe(24), name, hello.pid, connection)
            self._sessions[session.id] = session
            return session

    def find(self, session: str) -> Session:
        """Raises `NuriError` unauthenticated for a session that is not open."""
        with self._lock:
            known = self._sessions.get(session)
        if known is None:
            raise NuriError(
                ErrorCode.unauthenticated,
                "The backend does not know this client (any more)",
                "Connect again",
            )
        return known

    def get(self, session: str) -> Session | None:
        with self._lock:
            return self._sessions.get(session)

    def ids(self) -> list[str]:
        with self._lock:
            return list(self._sessions)

    def end(self, connection: int | None = None) -> list[Session]:
        """Ends and returns the sessions of one control connection, or all of them."""
        with self._lock:
            gone = [
                session
                for session in self._sessions.values()
                if connection is None or session.connection == connection
            ]
            for session in gone:
                del self._sessions[session.id]
        return gone


def refusal(hello: Hello, program_version: str) -> Refused | None:
    """The answer to a client of another major protocol version; None for one we understand."""
    if version.can_talk(hello.protocol):
        return None
    ours = version.PROTOCOL_VERSION
    client = one_line(f"{hello.client} {hello.client_version}")
    told = version.mismatch(
        f"The Nuri backend {program_version} speaks protocol {ours}, "
        f"the client {client} speaks {hello.protocol}",
        client=hello.protocol,
    ).info
    return Refused(protocol=ours, version=program_version, message=told.message, action=told.action)
