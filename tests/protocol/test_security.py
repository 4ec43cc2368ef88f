"""CURVE on TCP: who has the keys of the file comes in, nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq

from protocol import wire
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Hello, Ping
from protocol.security import generate_keys

from .conftest import StartDaemon
from .examples import picture
from .polling import code_of


def test_the_keys_of_the_file_open_the_door(start_daemon: StartDaemon) -> None:
    start_daemon("--curve")
    connection = ConnectionFile.read()
    assert connection.uses_curve
    assert connection.work.startswith("tcp://127.0.0.1:")
    with Client.connect() as client:
        sent = picture(width=700, height=500)
        assert client.submit("echo", [sent]).result(60).outputs == (sent,)


def test_a_client_with_another_key_is_turned_away(start_daemon: StartDaemon) -> None:
    start_daemon("--curve")
    other = generate_keys()
    changed = replace(
        ConnectionFile.read(), client_public_key=other.public, client_secret_key=other.secret
    )
    changed.write()
    with pytest.raises(NuriError, match="does not accept the key") as caught:
        Client.connect(timeout=60)
    assert caught.value.code is ErrorCode.unauthenticated


def test_a_server_with_another_key_is_not_talked_to(start_daemon: StartDaemon) -> None:
    """Somebody who took the port of a dead daemon cannot read or answer anything."""
    start_daemon("--curve")
    replace(ConnectionFile.read(), server_public_key=generate_keys().public).write()
    assert code_of(lambda: Client.connect(timeout=1)) in (
        ErrorCode.unreachable,
        ErrorCode.unauthenticated,
    )


def test_a_client_without_keys_gets_no_word(start_daemon: StartDaemon) -> None:
    start_daemon("--curve")
    connection = ConnectionFile.read()
    context: zmq.Context[Any] = zmq.Context()
    try:
        socket = context.socket(zmq.DEALER)
        socket.rcvtimeo = 500
        socket.connect(connection.control)
        socket.send_multipart(wire.encode(Hello(protocol="1.0", client="thief")))
        with pytest.raises(zmq.Again):
            socket.recv_multipart()
    finally:
        context.destroy(linger=0)


def test_keys_that_are_none_are_refused_clearly(start_daemon: StartDaemon) -> None:
    start_daemon("--curve")
    replace(ConnectionFile.read(), server_public_key="\x7f" * 40).write()
    assert code_of(Client.connect) is ErrorCode.unreachable


def test_an_invented_session_is_refused(start_daemon: StartDaemon) -> None:
    start_daemon()
    context: zmq.Context[Any] = zmq.Context()
    try:
        socket = context.socket(zmq.DEALER)
        socket.rcvtimeo = 60_000
        socket.connect(ConnectionFile.read().control)
        socket.send_multipart(wire.encode(Ping(), "invented"))
        reply = wire.decode(socket.recv_multipart(copy=False))
        assert reply.error.code is ErrorCode.unauthenticated  # type: ignore[attr-defined]
    finally:
        context.destroy(linger=0)


def test_sockets_of_the_local_daemon_live_in_a_private_folder(
    start_daemon: StartDaemon, home: Path
) -> None:
    start_daemon()
    connection = ConnectionFile.read()
    assert Path(connection.work.removeprefix("ipc://")).parent == home
    assert not connection.uses_curve
