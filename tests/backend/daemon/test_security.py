"""TCP endpoints: encrypted, for holders of a key alone, on the asked interface alone."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from backend.daemon.endpoints import Listen, bind_tcp
from backend.daemon.listening import KEYS_NAME, REMOTE_NAME
from protocol import wire
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Hello
from protocol.security import generate_keys
from protocol.sockets import set_client_curve
from protocol.version import PROTOCOL_VERSION
from tests.backend import drawings
from tests.backend.ports import free_ports, on_free_ports

from .house import AT_ONCE, House, flats_of, small, until

_SILENCE_MILLISECONDS = 700


@pytest.fixture(scope="module")
def tcp_house() -> Iterator[House]:
    """A daemon whose folder has too long a name for socket files, and one that is not ASCII."""
    folder = Path(tempfile.mkdtemp(prefix="nuri-"))
    deep = folder / ("übung-漫画-" * 12)[:60] / ("ordner-" * 40)[:200]
    assert len(os.fsencode(deep)) > 250
    house = House(folder, deep / "connection.json")
    house.start()
    yield house
    house.close()
    shutil.rmtree(folder)


@pytest.fixture
def tcp(tcp_house: House) -> Iterator[House]:
    yield tcp_house
    tcp_house.close_clients()


def says_nothing(file: ConnectionFile, *, curve: bool) -> bool:
    """True when neither socket answers a hello made with this connection file."""
    context = zmq.Context()
    answers = 0
    for endpoint in (file.control, file.work):
        peer = context.socket(zmq.DEALER)
        peer.linger = 0
        if curve:
            set_client_curve(peer, file)
        peer.connect(endpoint)
        peer.send_multipart(wire.encode(Hello(protocol=PROTOCOL_VERSION, client="thief")))
        answers += peer.poll(_SILENCE_MILLISECONDS)
        peer.close()
    context.term()
    return answers == 0


def test_tcp_serves_where_socket_files_cannot(tcp: House) -> None:
    file = tcp.file()
    assert file.work.startswith("tcp://127.0.0.1:")
    assert file.control.startswith("tcp://127.0.0.1:")
    assert file.uses_curve
    result = tcp.client().submit("flats", small()).result(60)
    assert drawings.is_coloured(flats_of(result.outputs))


def test_nothing_listens_beyond_this_machine(tcp: House) -> None:
    tcp.worker_pid(tcp.client())
    assert listening_addresses(tcp.file().pid) == {"127.0.0.1"}
    assert not list(tcp.connection.parent.glob("*.sock"))


def listening_addresses(pid: int) -> set[str]:
    """Local addresses of all TCP sockets of a process that listen."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(entry)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address = bytes.fromhex(fields[1].split(":")[0])
                found.add(".".join(str(byte) for byte in reversed(address[:4])))
    return found


def test_peer_without_keys_gets_nothing(tcp: House) -> None:
    assert says_nothing(tcp.file(), curve=False)


def test_peer_with_a_wrong_client_key_gets_nothing(tcp: House) -> None:
    wrong = generate_keys()
    file = dataclasses.replace(
        tcp.file(), client_public_key=wrong.public, client_secret_key=wrong.secret
    )
    assert says_nothing(file, curve=True)


def test_peer_that_expects_another_server_gets_nothing(tcp: House) -> None:
    file = dataclasses.replace(tcp.file(), server_public_key=generate_keys().public)
    assert says_nothing(file, curve=True)


def test_client_with_a_wrong_key_learns_why(tcp: House) -> None:
    wrong = generate_keys()
    file = dataclasses.replace(
        tcp.file(), client_public_key=wrong.public, client_secret_key=wrong.secret
    )
    with Client.open(file) as client:
        until(lambda: client.wait(0.2) is not None and client.lost, "the refusal")
        assert client.lost
        assert client.lost.code is ErrorCode.unauthenticated


def test_bytes_that_are_no_zeromq(tcp: House) -> None:
    for endpoint in (tcp.file().work, tcp.file().control):
        host, port = endpoint.removeprefix("tcp://").split(":")
        for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(5000)):
            with socket.create_connection((host, int(port))) as raw:
                raw.sendall(data)
    tcp.client().submit("flats", small()).result(60)


def test_half_open_connections_do_not_hold_up_others(tcp: House) -> None:
    host, port = tcp.file().control.removeprefix("tcp://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(50)]
    try:
        tcp.client().submit("flats", small()).result(60)
    finally:
        for raw in silent:
            raw.close()


def test_tcp_endpoint_without_keys_is_not_opened() -> None:
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as router, pytest.raises(NuriError, match="no keys") as caught:
        bind_tcp(router, "tcp://127.0.0.1:*", None)
    context.term()
    assert caught.value.code is ErrorCode.unauthenticated


@pytest.mark.parametrize(
    "endpoint", ["", "5570", "tcp://", "tcp://host", "tcp://host:x", "ipc:///x:1", "tcp://h:65535"]
)
def test_listen_endpoints_that_cannot_be(endpoint: str) -> None:
    with pytest.raises(NuriError) as caught:
        Listen.parse(endpoint)
    assert caught.value.code is ErrorCode.bad_input
    assert "--listen" in caught.value.info.action


def listen(house: House, address: str = "127.0.0.1", prologue: str = "") -> int:
    """Starts a daemon that listens at this address; its port."""

    def start(port: int) -> int:
        house.start(f"listen='tcp://{address}:{port}'", prologue)
        return port

    return on_free_ports(start)


def test_listen_serves_the_holder_of_the_remote_file_alone(house: House) -> None:
    port = listen(house)
    assert house.file().work.startswith("ipc://")
    assert listening_addresses(house.file().pid) == {"127.0.0.1"}
    path = house.state / REMOTE_NAME
    assert path.stat().st_mode & 0o077 == 0
    remote = ConnectionFile.read(path)
    assert remote.work == f"tcp://127.0.0.1:{port}"
    assert says_nothing(remote, curve=False)
    with Client.open(path) as client:
        until(lambda: client.wait(0.2) is not None and client.ready, "the welcome")
        result = client.submit("flats", small()).result(60)
        assert drawings.is_coloured(flats_of(result.outputs))
    house.client("local").submit("flats", small()).result(60)
    keys = (house.state / KEYS_NAME).read_bytes()
    house.kill()
    listen(house, prologue=AT_ONCE)
    assert (house.state / KEYS_NAME).read_bytes() == keys


def test_all_interfaces_only_when_listen_names_them(house: House) -> None:
    listen(house, "0.0.0.0", AT_ONCE)
    assert listening_addresses(house.file().pid) == {"0.0.0.0"}
    remote = ConnectionFile.read(house.state / REMOTE_NAME)
    assert remote.work.startswith(f"tcp://{os.uname().nodename}:")
    here = remote.work.replace(os.uname().nodename, "127.0.0.1")
    assert says_nothing(dataclasses.replace(remote, work=here, control=here), curve=False)


def test_keys_that_others_can_read_are_refused(house: House) -> None:
    house.state.mkdir(mode=0o700)
    keys = house.state / KEYS_NAME
    keys.write_text("{}")
    keys.chmod(0o644)
    process = house.launch(f"listen='tcp://127.0.0.1:{free_ports()}'")
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "others can reach it" in words
    assert not house.connection.exists()


def test_port_in_use_is_named(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = house.launch(f"listen='tcp://127.0.0.1:{port}'")
        _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Cannot open tcp://127.0.0.1:{port}" in words
    assert not house.connection.exists()
