"""Binding of the daemon's sockets: a private local socket, or TCP with CURVE and an allow-list."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.folders import connection_path, is_private_folder
from protocol.security import CurveKeys, generate_keys
from protocol.sockets import set_options, set_server_curve

if TYPE_CHECKING:
    from zmq.auth.thread import ThreadAuthenticator

_WILDCARDS = ("*", "0.0.0.0", "[::]", "::", "")
_LOOPBACK = "tcp://127.0.0.1:*"


@dataclass(frozen=True)
class Listen:
    """Where ``--listen`` asks to bind besides the local endpoint: ``port`` for work, the next one
    for control."""

    host: str
    port: int

    @classmethod
    def parse(cls, endpoint: str) -> Listen:
        """From tcp://HOST:PORT; HOST may be an address of this machine or 0.0.0.0 for all.

        Raises `NuriError` bad_input.
        """
        scheme, _, address = endpoint.partition("://")
        host, _, port = address.rpartition(":")
        if scheme != "tcp" or not host or not port.isascii() or not port.isdigit():
            raise _bad_endpoint(endpoint, "it has not the form tcp://ADDRESS:PORT")
        if not 1 <= int(port) <= 65_534:
            raise _bad_endpoint(endpoint, "its port is not in 1..65534")
        return cls(host, int(port))

    @property
    def endpoints(self) -> tuple[str, str]:
        """(work, control) to bind."""
        return f"tcp://{self.host}:{self.port}", f"tcp://{self.host}:{self.port + 1}"

    def reachable(self, machine: str) -> tuple[str, str]:
        """(work, control) to connect to from elsewhere; ``machine`` stands for "all interfaces"."""
        host = machine if self.host in _WILDCARDS else self.host
        return f"tcp://{host}:{self.port}", f"tcp://{host}:{self.port + 1}"


def socket_name(part: str) -> str:
    """File name of one of this daemon's sockets, short because the system bounds their paths.

    It follows from the name of the connection file: the lock is for that file alone, so the folder
    may hold the sockets of other daemons and programs.
    """
    owner = hashlib.sha256(os.fsencode(connection_path().name)).hexdigest()[:8]
    return f"{owner}-{part}.sock"


def remove_sockets(folder: Path) -> None:
    """Takes this daemon's socket files away; ZeroMQ leaves them, and so does a killed daemon."""
    for path in folder.glob(socket_name("*")):
        path.unlink(missing_ok=True)


class Gate:
    """Decides who may enter a TCP endpoint: whoever holds one of the keys that were let in.

    Answers ZeroMQ's ZAP requests of one context on a thread of its own, which starts with the
    first key. While nobody answers, ZeroMQ lets nobody in.
    """

    def __init__(self, context: zmq.Context[Any]) -> None:
        self._context = context
        self._allowed: set[str] = set()
        self._authenticator: ThreadAuthenticator | None = None

    def allow(self, keys: CurveKeys) -> None:
        """Lets the holder of ``keys`` in."""
        self._allowed.add(keys.public)
        if self._authenticator is None:
            # Brings asyncio with it, which a daemon on a local socket does not need.
            from zmq.auth.thread import ThreadAuthenticator

            self._authenticator = ThreadAuthenticator(self._context)
            self._authenticator.start()
            self._authenticator.configure_curve_callback("*", credentials_provider=self)

    def callback(self, domain: str, key: bytes) -> bool:
        """Called by the authenticator with the Z85 public key of who knocks."""
        return key.decode("ascii", "replace") in self._allowed

    def close(self) -> None:
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None


def router(context: zmq.Context[Any], high_water: int, thread: int) -> Any:
    """A ROUTER that says when a client is gone; ``thread``: the I/O thread that serves it."""
    socket = context.socket(zmq.ROUTER)
    set_options(socket, high_water=high_water)
    socket.router_mandatory = True
    socket.affinity = 1 << thread
    return socket


def bind_private(
    sockets: Sequence[Any], names: Sequence[str], folder: Path, gate: Gate
) -> tuple[list[str], CurveKeys | None, CurveKeys | None]:
    """Binds for this machine alone: socket files in ``folder``, else loopback TCP with new keys.

    Returns (endpoints, server keys, client keys); no keys for socket files. TCP serves where
    socket files do not exist, where others can enter the folder, and where its path is too long.
    """
    paths = [folder / name for name in names]
    too_long = max(len(os.fsencode(path)) for path in paths) > limits.IPC_PATH_BYTES
    if sys.platform != "win32" and is_private_folder(folder) and not too_long:
        for path in paths:
            path.unlink(missing_ok=True)
        pairs = zip(sockets, paths, strict=True)
        return [_bind(socket, f"ipc://{path}") for socket, path in pairs], None, None
    server, client = generate_keys(), generate_keys()
    gate.allow(client)
    return [bind_tcp(socket, _LOOPBACK, server) for socket in sockets], server, client


def bind_tcp(
    socket: Any, endpoint: str, server: CurveKeys | None, *, is_remote: bool = False
) -> str:
    """Binds to TCP with CURVE and returns the endpoint with its port.

    Raises `NuriError` unauthenticated without keys: no TCP endpoint exists without them.
    """
    if server is None:
        raise NuriError(
            ErrorCode.unauthenticated,
            f"The endpoint {endpoint} has no keys, so it is not opened",
            "Start the backend with `nuri serve --listen`, which makes them",
        )
    # Every bind takes the options of that moment, so a socket file bound before stays plain.
    set_options(socket, high_water=socket.sndhwm, is_local=not is_remote)
    socket.ipv6 = endpoint.startswith("tcp://[")
    set_server_curve(socket, server)
    return _bind(socket, endpoint)


def _bind(socket: Any, endpoint: str) -> str:
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"Cannot open {endpoint}: {error.strerror}",
            "Choose another address or port, or end the program that uses it",
        ) from error
    return str(socket.last_endpoint.rstrip(b"\0").decode())


def _bad_endpoint(endpoint: str, reason: str) -> NuriError:
    return NuriError(
        ErrorCode.bad_input,
        f"Cannot listen on {endpoint}: {reason}",
        "Give for example --listen tcp://192.168.1.20:5570",
    )
