"""Peers that break the protocol; the daemon answers, or drops, and goes on serving."""

from __future__ import annotations

import random
import socket
from typing import Any

import msgpack
import pytest

from protocol import limits, wire
from protocol.errors import ErrorCode
from protocol.messages import (
    Cancel,
    Credit,
    Error,
    Failed,
    Fetch,
    Frame,
    Hello,
    Message,
    Ping,
    Pong,
    Refused,
    Shutdown,
    StatusRequest,
    Submit,
    Welcome,
)
from protocol.version import PROTOCOL_VERSION
from tests.backend import drawings

from .house import House, Stranger, flats_of, small

SOCKETS = ("control", "work")


@pytest.fixture(autouse=True)
def still_serving(shared: House) -> Any:
    """Whatever a test did, the same daemon colours a drawing afterwards."""
    process = shared.process
    yield
    assert process
    assert process.poll() is None
    result = shared.client("afterwards").submit("flats", small()).result(60)
    assert drawings.is_coloured(flats_of(result.outputs))


def header(kind: str = "ping", protocol: str = PROTOCOL_VERSION, **body: Any) -> bytes:
    packed: bytes = msgpack.packb({"protocol": protocol, "type": kind, "session": "", "body": body})
    return packed


def nested(depth: int) -> bytes:
    return b"\x81\xa1a" * depth + b"\xc0"


MALFORMED = {
    "empty frame": [b""],
    "no msgpack": [b"\xc1"],
    "text": [b"GET / HTTP/1.1\r\n\r\n"],
    "json": [b'{"type": "ping"}'],
    "list": [msgpack.packb([1, 2, 3])],
    "bomb": [b"\xdd\xff\xff\xff\xff" * 8],
    "deep": [nested(5000)],
    "wide": [msgpack.packb({"x": [0] * 60_000})],
    "huge header": [bytes(limits.HEADER_BYTES + 1)],
    "many frames": [header()] + [b""] * 100,
    "no body": [msgpack.packb({"protocol": "1.0", "type": "ping", "session": ""})],
    "session of bytes": [msgpack.packb({"protocol": "1.0", "type": "ping", "session": b"\0"})],
    "type of another kind": [msgpack.packb({"protocol": "1.0", "type": 7, "session": ""})],
    "extra frame": [header(), b"x" * 1000],
    "wrong version": [header(protocol="2.0")],
    "no version": [header(protocol="")],
    "surrogates": [b"\x81\xa3\xed\xa0\x80\xc0"],
}


@pytest.mark.parametrize("name", SOCKETS)
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_messages_get_an_error(shared: House, name: str, case: str) -> None:
    with Stranger(shared.file()) as stranger:
        peer = getattr(stranger, name)
        peer.send_multipart(MALFORMED[case])
        answer = stranger.hear(peer)
        assert isinstance(answer, Error)
        assert answer.code in (
            ErrorCode.malformed,
            ErrorCode.too_large,
            ErrorCode.unsupported,
            ErrorCode.version_mismatch,
        )


@pytest.mark.parametrize("name", SOCKETS)
@pytest.mark.parametrize(("version", "older"), [("2.0", "backend"), ("0.3", "client")])
def test_a_client_of_another_version_is_told_the_older_side(
    shared: House, name: str, version: str, older: str
) -> None:
    with Stranger(shared.file()) as stranger:
        peer = getattr(stranger, name)
        kind = {"control": "ping", "work": "submit"}[name]
        peer.send_multipart([header(kind, protocol=version)])
        answer = stranger.hear(peer)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.version_mismatch
        assert version in answer.error.message and PROTOCOL_VERSION in answer.error.message
        assert answer.error.action.startswith(f"Update the {older}: ")


@pytest.mark.parametrize("name", SOCKETS)
def test_unknown_type_is_refused_by_name(shared: House, name: str) -> None:
    with Stranger(shared.file()) as stranger:
        peer = getattr(stranger, name)
        peer.send_multipart([header("teleport")])
        answer = stranger.hear(peer)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.unsupported
        assert "teleport" in answer.error.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("control", Submit(job="a", task="flats")),
        ("control", Fetch(job="a")),
        ("work", Ping()),
        ("work", Shutdown()),
        ("work", Hello(protocol=PROTOCOL_VERSION, client="x")),
        (
            "work",
            Welcome(protocol="1.0", version="", session="s", pid=1, device="", models=[], tasks=[]),
        ),
    ],
)
def test_types_on_the_wrong_socket_are_refused(shared: House, name: str, message: Message) -> None:
    with Stranger(shared.file()) as stranger:
        peer = getattr(stranger, name)
        stranger.say(peer, message, stranger.session())
        answer = stranger.hear(peer)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.unsupported


@pytest.mark.parametrize("session", ["", "guessed", "A" * 64])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("control", Ping()),
        ("control", StatusRequest()),
        ("control", Cancel(job="a")),
        ("control", Shutdown()),
        ("work", Submit(job="a", task="flats")),
        ("work", Fetch(job="a")),
        ("work", Credit(job="a")),
        ("work", Frame(job="a", index=0)),
    ],
)
def test_without_a_session_nothing_is_served(
    shared: House, name: str, message: Message, session: str
) -> None:
    with Stranger(shared.file()) as stranger:
        peer = getattr(stranger, name)
        stranger.say(peer, message, session)
        answer = stranger.hear(peer)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.unauthenticated


def test_session_ends_with_its_connection(shared: House) -> None:
    with Stranger(shared.file()) as stranger:
        session = stranger.session()
    with Stranger(shared.file()) as thief:
        thief.session()
        thief.say(thief.work, Fetch(job="a"), session)
        answer = thief.hear(thief.work)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.unauthenticated


def test_second_hello_gets_the_same_session(shared: House) -> None:
    with Stranger(shared.file()) as stranger:
        assert stranger.session() == stranger.session()


@pytest.mark.parametrize(("protocol", "side"), [("2.0", "backend"), ("0.9", "client")])
def test_another_major_version_is_refused_with_both_named(
    shared: House, protocol: str, side: str
) -> None:
    with Stranger(shared.file()) as stranger:
        answer = stranger.greet(protocol)
        assert isinstance(answer, Refused)
        assert protocol in answer.message
        assert PROTOCOL_VERSION in answer.message
        assert f"Update the {side}" in answer.action
        assert answer.protocol == PROTOCOL_VERSION
        # A refused peer has no session and gets no service either.
        stranger.say(stranger.control, Ping())
        assert isinstance(stranger.hear(stranger.control), Error)


def test_newer_minor_version_is_welcome(shared: House) -> None:
    with Stranger(shared.file()) as stranger:
        assert isinstance(stranger.greet("1.7"), Welcome)


def lying(**changes: Any) -> list[bytes]:
    """A submit with one picture whose description is changed."""
    frames = wire.encode(Submit(job="liar", task="flats", inputs=tuple(small()[:1])))
    table = msgpack.unpackb(bytes(frames[0]))
    table["body"]["inputs"][0].update(changes)
    return [msgpack.packb(table), *map(bytes, frames[1:])]


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 100_000},
        {"width": 0},
        {"width": -120},
        {"width": 2**62},
        {"height": 61},
        {"bytes": 1},
        {"bytes": 2**63},
        {"format": "rgba64"},
        {"kind": "pickle"},
        {"name": ""},
        {"name": "x" * 65},
        {"x": 2**40},
    ],
)
def test_lying_pictures_are_refused_and_the_job_is_named(
    shared: House, changes: dict[str, Any]
) -> None:
    with Stranger(shared.file()) as stranger:
        session = stranger.session()
        frames = lying(**changes)
        table = msgpack.unpackb(frames[0])
        table["session"] = session
        stranger.work.send_multipart([msgpack.packb(table), *frames[1:]])
        answer = stranger.hear(stranger.work)
        assert isinstance(answer, Error)
        assert answer.reply_to == "liar"


def test_a_frame_above_the_limit_gets_an_error(shared: House) -> None:
    """Just over the limit of a picture; ZeroMQ itself closes the connection only above that."""
    with Stranger(shared.file()) as stranger:
        description = {"kind": "encoded", "name": "line", "file_name": "x.png"}
        size = limits.BUFFER_BYTES + 1
        table = {
            "protocol": PROTOCOL_VERSION,
            "type": "submit",
            "session": stranger.session(),
            "body": {"job": "big", "task": "flats", "inputs": [{**description, "bytes": size}]},
        }
        stranger.work.send_multipart([msgpack.packb(table), bytes(size)], copy=False)
        answer = stranger.hear(stranger.work)
        assert isinstance(answer, Error)
        assert answer.code is ErrorCode.too_large
        assert answer.reply_to == "big"


def test_random_frames(shared: House) -> None:
    chance = random.Random(7)
    template = wire.encode(Submit(job="x", task="flats", inputs=tuple(small())))
    with Stranger(shared.file()) as stranger:
        for peer in (stranger.control, stranger.work):
            for _ in range(400):
                frames = [bytearray(frame) for frame in template]
                for _ in range(chance.randrange(1, 6)):
                    frame = frames[0]
                    frame[chance.randrange(len(frame))] = chance.randrange(256)
                count = chance.randrange(1, len(frames) + 1)
                peer.send_multipart([bytes(frame) for frame in frames[:count]])
                answer = stranger.hear(peer)
                assert isinstance(answer, (Error, Failed))


def test_replayed_submit_is_refused(shared: House) -> None:
    """The same bytes a second time, while the job is there, and from another connection."""
    with Stranger(shared.file()) as stranger, Stranger(shared.file()) as thief:
        session = stranger.session()
        thief.session()
        stream = Submit(job="once", task="flats", frames=2)
        stranger.say(stranger.work, stream, session)
        assert stranger.hear(stranger.work).TYPE == "accepted"
        stranger.say(stranger.work, stream, session)
        answer = stranger.hear(stranger.work)
        assert isinstance(answer, Failed)
        assert "exists already" in answer.error.message


def test_bytes_that_are_no_zeromq(shared: House) -> None:
    for endpoint in (shared.file().work, shared.file().control):
        for data in (
            b"",
            b"GET / HTTP/1.1\r\n\r\n",
            bytes(10_000),
            random.Random(3).randbytes(5000),
        ):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(endpoint.removeprefix("ipc://"))
                try:
                    raw.sendall(data)
                except BrokenPipeError:
                    continue


def test_flood_of_a_client_that_never_listens(shared: House) -> None:
    """Its answers are dropped in the end; others are served meanwhile."""
    with Stranger(shared.file()) as deaf:
        for _ in range(3000):
            deaf.work.send_multipart([b"nonsense"])
            deaf.control.send_multipart([b"nonsense"])
        client = shared.client("patient")
        assert isinstance(client.ping(30), Pong)
        client.submit("flats", small()).result(60)
