"""Messages become frames and come back, over real sockets and without copies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from protocol import limits, wire
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Failed, Hello, Message, Ping, Refused, Result, Submit, Welcome
from protocol.pixels import PixelBuffer, PixelFormat
from protocol.sockets import set_options
from protocol.version import PROTOCOL_VERSION

from .examples import EXAMPLES, picture

TRANSPORTS = ["inproc://wire", "tcp://127.0.0.1:*"]
if sys.platform != "win32":
    TRANSPORTS.append("ipc")


def named(message: Message) -> str:
    return message.TYPE


def header_of(message: Message) -> dict[str, Any]:
    header: dict[str, Any] = msgpack.unpackb(bytes(wire.encode(message)[0]))
    return header


def refused(frames: list[Any], code: ErrorCode = ErrorCode.malformed) -> NuriError:
    with pytest.raises(NuriError) as caught:
        wire.decode(frames)
    assert caught.value.code is code, caught.value
    return caught.value


@pytest.fixture(params=TRANSPORTS)
def pair(request: pytest.FixtureRequest, home: Path) -> Iterator[tuple[Any, Any]]:
    """A bound ROUTER and a connected DEALER, as daemon and client set them up."""
    context: zmq.Context[Any] = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    for socket in (router, dealer):
        set_options(socket, high_water=4)
        socket.rcvtimeo = 20_000
    endpoint = f"ipc://{home}/wire.sock" if request.param == "ipc" else request.param
    router.bind(endpoint)
    dealer.connect(router.last_endpoint.rstrip(b"\0").decode())
    yield router, dealer
    context.destroy(linger=0)


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_round_trip_over_real_sockets(example: Message, pair: tuple[Any, Any]) -> None:
    router, dealer = pair
    dealer.send_multipart(wire.encode(example, "session-1"), copy=False)
    identity, *frames = router.recv_multipart(copy=False)
    envelope = wire.decode_envelope(frames)
    assert envelope.message == example
    assert (envelope.session, envelope.protocol) == ("session-1", PROTOCOL_VERSION)
    router.send_multipart([identity.bytes, *wire.encode(envelope.message)], copy=False)
    assert wire.decode(dealer.recv_multipart(copy=False)) == example


def test_pictures_are_sent_without_a_copy() -> None:
    data = bytearray(64)
    message = Submit(
        job="j", task="t", inputs=(PixelBuffer("line", 8, 8, PixelFormat.gray8, data),)
    )
    frames = wire.encode(message)
    data[10] = 99
    assert frames[1].obj is data  # type: ignore[union-attr]
    assert frames[1][10] == 99


def test_pictures_are_received_without_a_copy() -> None:
    frames: list[Any] = [bytearray(bytes(frame)) for frame in wire.encode(EXAMPLES[6])]
    message = wire.decode(frames)
    planes = getattr(message, message.PLANES)
    frames[1][0] ^= 255
    assert planes[0].data[0] == frames[1][0]
    assert planes[0].data.obj is frames[1]


def test_a_received_picture_outlives_its_message_and_socket(pair: tuple[Any, Any]) -> None:
    router, dealer = pair
    sent = picture(width=600, height=400)
    dealer.send_multipart(wire.encode(Result(job="j", outputs=(sent,))), copy=False)
    message = wire.decode(router.recv_multipart(copy=False)[1:])
    assert isinstance(message, Result)
    data = message.outputs[0].data
    assert type(data.obj).__name__ == "Frame"  # type: ignore[union-attr]
    del message
    router.close(0)
    dealer.close(0)
    assert data == sent.data


def test_unknown_fields_are_ignored() -> None:
    header = header_of(EXAMPLES[3])
    header["later"] = {"x": [1]}
    header["body"]["later"] = [1, {"y": 2}]
    header["body"]["inputs"][0]["later"] = "z"
    frames = wire.encode(EXAMPLES[3])
    assert wire.decode([msgpack.packb(header), *frames[1:]]) == EXAMPLES[3]


def test_fields_with_a_default_may_be_missing_and_others_not() -> None:
    header = header_of(Submit(job="j", task="t"))
    header["body"] = {"job": "j", "task": "t"}
    assert wire.decode([msgpack.packb(header)]) == Submit(job="j", task="t")
    del header["body"]["task"]
    error = refused([msgpack.packb(header)])
    assert "submit lacks task" in str(error)
    assert error.info.job == "j"


def test_unknown_types_are_refused_by_name() -> None:
    header = {**header_of(Ping()), "type": "sparkle"}
    assert "'sparkle'" in str(refused([msgpack.packb(header)], ErrorCode.unsupported))


def test_a_socket_serves_only_its_types() -> None:
    frames = wire.encode(Ping())
    assert wire.decode(frames, accept=("ping",)) == Ping()
    with pytest.raises(NuriError, match="not served here") as caught:
        wire.decode(frames, accept=("submit",))
    assert caught.value.code is ErrorCode.unsupported


def test_an_unknown_error_code_counts_as_internal() -> None:
    header = header_of(EXAMPLES[9])
    header["body"]["error"]["code"] = "coffee_empty"
    failed = wire.decode([msgpack.packb(header)])
    assert isinstance(failed, Failed)
    assert failed.error.code is ErrorCode.internal
    assert "coffee_empty" in failed.error.detail


@pytest.mark.parametrize(
    ("accept", "version", "older"),
    [
        (None, "2.0", "client"),
        (None, "0.9", "backend"),
        (None, "11.0", "client"),
        (("ping",), "2.0", "backend"),
        (("ping",), "0.3", "client"),
        (("submit",), "11.0", "backend"),
    ],
)
def test_another_major_version_is_told_both_versions_and_the_older_side(
    accept: tuple[str, ...] | None, version: str, older: str
) -> None:
    """A daemon knows what it accepts and reads what clients speak, a client the other way round."""
    with pytest.raises(NuriError) as caught:
        wire.decode([msgpack.packb({**header_of(Ping()), "protocol": version})], accept)
    assert caught.value.code is ErrorCode.version_mismatch
    assert version in str(caught.value)
    assert PROTOCOL_VERSION in str(caught.value)
    assert caught.value.info.action.startswith(f"Update the {older}: ")


@pytest.mark.parametrize("version", ["", "x", "1", "1.x", "-1.0", "1.0.0", "\u0663.0", "1" * 17])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(NuriError):
        wire.decode([msgpack.packb({**header_of(Ping()), "protocol": version})])


def test_a_later_minor_version_is_understood() -> None:
    assert wire.decode([msgpack.packb({**header_of(Ping(nonce=3)), "protocol": "1.99"})])


def test_hello_and_refusal_are_read_across_versions() -> None:
    hello = header_of(Hello(protocol="3.1", client="krita"))
    assert isinstance(wire.decode([msgpack.packb({**hello, "protocol": "3.1"})]), Hello)
    refusal = header_of(Refused(protocol="3.1", version="8", message="no"))
    assert isinstance(wire.decode([msgpack.packb({**refusal, "protocol": "3.1"})]), Refused)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"protocol": "2.0"},
        {"protocol": 2, "session": None, "info": {}},
        {"protocol": "2.0", "session": "a b", "later": [1]},
    ],
)
def test_greeting_and_refusal_need_their_timeless_fields_alone(more: dict[str, Any]) -> None:
    body = {"protocol": "2.0", "client": "krita", "pid": "12", "client_version": 7}
    hello = wire.decode([msgpack.packb({"type": "hello", "body": body, **more})])
    assert hello == Hello(protocol="2.0", client="krita")
    body = {"protocol": "2.0", "version": "9" * 99, "message": "m", "action": "a", "x": 1}
    refusal = wire.decode([msgpack.packb({"type": "refused", "body": body, **more})])
    assert refusal == Refused(protocol="2.0", version="9" * 64, message="m", action="a")


def test_a_greeting_of_our_own_version_needs_no_more() -> None:
    body = {"protocol": PROTOCOL_VERSION, "client": "krita"}
    hello = wire.decode([msgpack.packb({"type": "hello", "body": body})])
    assert hello == Hello(protocol=PROTOCOL_VERSION, client="krita")
    refused([msgpack.packb({"type": "hello", "body": {**body, "pid": "12"}})])


@pytest.mark.parametrize(
    "body",
    [{}, {"protocol": "2.0"}, {"protocol": 2, "client": "c"}, {"protocol": "", "client": "c"}],
)
def test_a_greeting_that_lacks_one_of_them_is_malformed(body: dict[str, Any]) -> None:
    refused([msgpack.packb({"type": "hello", "body": body})])


def test_what_an_unreadable_message_was_about() -> None:
    def subject(**header: Any) -> str:
        return wire.subject([msgpack.packb(header)])

    assert subject(type="submit", body={"job": "j-1"}) == "j-1"
    assert subject(type="submit", body={"job": "no good"}) == "submit"
    assert subject(type="submit", body=7) == "submit"
    assert subject(type="no name", body={}) == subject(type=["x"]) == subject() == ""
    assert wire.subject([]) == wire.subject([b"\xc1"]) == ""


def test_a_header_over_its_limit_is_not_sent() -> None:
    options = {str(i): ["x" * 100] * 100 for i in range(7)}
    with pytest.raises(NuriError, match="header") as caught:
        wire.encode(Submit(job="j", task="t", options=options))
    assert caught.value.code is ErrorCode.too_large


def test_info_may_outgrow_a_header_but_not_its_own_limit() -> None:
    many = Result(job="j", info={"regions": list(range(100_000))})
    frames = wire.encode(many)
    assert len(frames[1]) > limits.HEADER_BYTES > len(frames[0])
    assert wire.decode(frames) == many
    with pytest.raises(NuriError, match="info") as caught:
        wire.encode(Result(job="j", info={"text": "x" * limits.INFO_BYTES}))
    assert caught.value.code is ErrorCode.too_large


def test_limits_of_a_later_daemon_fall_back_to_ours() -> None:
    header = header_of(EXAMPLES[1])
    header["body"]["limits"] = {"side": 77, "later": 1}
    welcome = wire.decode([msgpack.packb(header)])
    assert isinstance(welcome, Welcome)
    assert (welcome.limits.side, welcome.limits.pixels) == (77, limits.PIXELS)
