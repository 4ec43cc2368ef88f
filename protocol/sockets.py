"""Options that every ZeroMQ socket of Nuri carries, for client and daemon alike.

Takes sockets of pyzmq but does not import it, so that only who opens sockets pays for it.
"""

from __future__ import annotations

from typing import Any

from . import limits
from .connection import ConnectionFile, CurveKeys

# Messages that may wait in each direction before the sender has to.
WORK_HIGH_WATER = 16
CONTROL_HIGH_WATER = 256
HEARTBEAT_MILLISECONDS = 2000
LOCAL_TIMEOUT_MILLISECONDS = 10_000
# A heartbeat queues behind a large picture, which a slow line needs long for.
REMOTE_TIMEOUT_MILLISECONDS = 60_000
HANDSHAKE_MILLISECONDS = 10_000


def set_options(socket: Any, *, high_water: int, is_local: bool = True) -> None:
    """Limits, heartbeat and closing behaviour; to be set before bind or connect."""
    timeout = LOCAL_TIMEOUT_MILLISECONDS if is_local else REMOTE_TIMEOUT_MILLISECONDS
    socket.linger = 0
    socket.maxmsgsize = limits.FRAME_BYTES
    socket.sndhwm = high_water
    socket.rcvhwm = high_water
    socket.heartbeat_ivl = HEARTBEAT_MILLISECONDS
    socket.heartbeat_timeout = timeout
    socket.heartbeat_ttl = timeout
    socket.handshake_ivl = HANDSHAKE_MILLISECONDS


def set_server_curve(socket: Any, server: CurveKeys) -> None:
    """Makes a daemon's socket demand CURVE. Who may enter is decided by its ZAP handler."""
    socket.curve_server = True
    socket.curve_publickey = server.public.encode("ascii")
    socket.curve_secretkey = server.secret.encode("ascii")


def set_client_curve(socket: Any, connection: ConnectionFile) -> None:
    """Makes a client's socket speak CURVE to the daemon of ``connection`` and no other."""
    socket.curve_serverkey = connection.server_public_key.encode("ascii")
    socket.curve_publickey = connection.client_public_key.encode("ascii")
    socket.curve_secretkey = connection.client_secret_key.encode("ascii")
