"""Frames made to hurt: every one ends in a `NuriError`, none takes memory or breaks the decoder."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import limits, wire
from protocol.errors import ErrorCode, NuriError
from protocol.messages import MESSAGES, Frame, Message, Ping, Result, Status, Submit

from .examples import EXAMPLES, picture
from .test_wire import header_of, refused

FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
SUBMIT = Submit(job="job-7", task="flats", inputs=(picture("line"), picture("hints")))

FIELDS = sorted({entry.name for kind in MESSAGES.values() for entry in fields(kind)})  # type: ignore[arg-type]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary()
)
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=8) | st.integers(0, 9), inner, max_size=5)
    ),
    max_leaves=30,
)


def decodes_or_refuses(frames: list[Any]) -> None:
    """The whole contract of the decoder: a valid message that can be sent again, or a NuriError."""
    try:
        message = wire.decode(frames)
    except NuriError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert wire.decode(wire.encode(message)) == message
    assert refusal.isprintable()


@FUZZ
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_random_bytes(frames: list[bytes]) -> None:
    decodes_or_refuses(frames)


@FUZZ
@given(
    st.sampled_from([*MESSAGES, "sparkle"]),
    st.dictionaries(
        st.sampled_from(FIELDS),
        plain,
        max_size=8,
    ),
    st.lists(st.binary(max_size=40), max_size=3),
    plain,
)
def test_random_bodies(kind: str, body: dict[str, Any], frames: list[bytes], info: Any) -> None:
    header = {"protocol": "1.0", "type": kind, "session": "", "body": body, "info": info}
    decodes_or_refuses([msgpack.packb(header), *frames])


@FUZZ
@given(st.sampled_from(EXAMPLES), st.data())
def test_one_field_of_a_valid_message_replaced(example: Message, data: st.DataObject) -> None:
    header = header_of(example)
    frames = wire.encode(example)[1:]
    target = data.draw(st.sampled_from([header, header["body"]]))
    if not target:
        return
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(plain)
    decodes_or_refuses([msgpack.packb(header), *frames])


@FUZZ
@given(st.sampled_from(EXAMPLES), st.data())
def test_one_field_of_a_picture_replaced(example: Message, data: st.DataObject) -> None:
    header = header_of(SUBMIT)
    entry = data.draw(st.sampled_from(header["body"]["inputs"]))
    entry[data.draw(st.sampled_from(sorted(entry)))] = data.draw(plain)
    decodes_or_refuses([msgpack.packb(header), *wire.encode(SUBMIT)[1:]])


@FUZZ
@given(st.sampled_from(EXAMPLES), st.data())
def test_flipped_and_missing_bytes(example: Message, data: st.DataObject) -> None:
    frames = [bytearray(bytes(frame)) for frame in wire.encode(example)]
    target = data.draw(st.sampled_from([frame for frame in frames if frame]))
    position = data.draw(st.integers(0, len(target) - 1))
    if data.draw(st.booleans()):
        target[position] ^= data.draw(st.integers(1, 255))
    else:
        del target[position:]
    decodes_or_refuses(list(frames))


@FUZZ
@given(st.sampled_from(EXAMPLES), st.data())
def test_frames_dropped_doubled_and_swapped(example: Message, data: st.DataObject) -> None:
    frames = wire.encode(example)
    decodes_or_refuses(data.draw(st.lists(st.sampled_from(frames), max_size=len(frames) + 2)))


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\xc0"


def wrapped(value: bytes) -> bytes:
    """``value``, as raw msgpack, in an unknown field of an otherwise valid header."""
    header = msgpack.packb(header_of(Ping()))
    return bytes([header[0] + 1]) + header[1:] + b"\xa1x" + value


@pytest.mark.parametrize("depth", [limits.DEPTH, 100, 10_000, 60_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert "nested" in str(refused([wrapped(nested(depth))]))


def test_the_allowed_depth_is_taken() -> None:
    assert wire.decode([wrapped(nested(limits.DEPTH - 1))]) == Ping()


@pytest.mark.parametrize(
    "value",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xdc\xff\xff",
        b"\xde\xff\xff",
        b"\xda\xff\xff",
        b"\xd9\xff",
        b"\xbf",
        b"\x9f",
        b"\x8f",
        b"\xcf\x00",
        b"\xdd",
        b"\x91" * 7 + b"\xdd\xff\xff\xff\xff",
        b"\x97" + b"\xdd\x00\x0f\xff\xff" * 7,
    ],
)
def test_lying_lengths_take_no_memory(value: bytes) -> None:
    header = wrapped(value)
    tracemalloc.start()
    try:
        refused([header])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "value",
    [
        msgpack.packb(msgpack.ExtType(5, b"x")),
        msgpack.packb(msgpack.ExtType(5, bytes(300))),
        msgpack.packb(msgpack.Timestamp(1, 1)),
        msgpack.packb(msgpack.Timestamp(2**33, 1)),
        b"\xd4\x01\x00",
        b"\xd8\x01" + bytes(16),
        b"\xc4\x01x",
        b"\xc6\x00\x00\x00\x01x",
        b"\xc1",
    ],
)
def test_bytes_and_extension_types_are_refused(value: bytes) -> None:
    assert "extension" in str(refused([wrapped(value)]))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(number: float) -> None:
    header = header_of(Submit(job="j", task="t"))
    for field in ("deadline", "options"):
        body = {**header["body"], field: {"a": number} if field == "options" else number}
        refused([msgpack.packb({**header, "body": body})])
    info = msgpack.packb({"info": {"deep": [[number]]}})
    refused([msgpack.packb({**header_of(Result(job="j")), "info": len(info)}), info])


@FUZZ
@given(st.sampled_from([16, 32, 64]), st.booleans(), st.data())
def test_numbers_of_unknown_fields_are_finite_too(
    width: Literal[16, 32, 64], is_single: bool, data: st.DataObject
) -> None:
    number = data.draw(st.floats(width=min(width, 32) if is_single else width))  # type: ignore[arg-type]
    frames = [wrapped(msgpack.packb([{"deep": number}], use_single_float=is_single))]
    if math.isfinite(number):
        assert wire.decode(frames) == Ping()
    else:
        assert "not finite" in str(refused(frames))


@pytest.mark.parametrize("value", [b"\xca\x7f\x80\0", b"\xca\xff", b"\xca", b"\xcb\x7f", b"\xcb"])
def test_numbers_that_are_cut_short_are_refused(value: bytes) -> None:
    refused([wrapped(value)])


def test_a_name_twice_in_one_table_is_refused() -> None:
    assert "twice" in str(refused([wrapped(b"\x82\xa1a\x01\xa1a\x02")]))
    header = msgpack.packb(header_of(Ping()))
    doubled = bytes([header[0] + 1]) + header[1:] + b"\xa4type\xa8shutdown"
    refused([doubled])


def test_two_pictures_of_one_name_are_refused() -> None:
    header = header_of(SUBMIT)
    header["body"]["inputs"][1]["name"] = "line"
    error = refused([msgpack.packb(header), *wire.encode(SUBMIT)[1:]])
    assert "two pictures" in str(error)
    assert error.info.job == "job-7"


def test_text_must_be_unicode() -> None:
    for text in (b"\xff", b"\xc3\x28", b"\xed\xa0\x80"):
        refused([wrapped(bytes([0xA0 + len(text)]) + text)])


def test_keys_must_be_text() -> None:
    refused([wrapped(b"\x81\x01\x02")])
    refused([wrapped(b"\x81\x90\x02")])


def test_bytes_after_the_end_are_refused() -> None:
    refused([bytes(wire.encode(Ping())[0]) + b"\xc0"])


@pytest.mark.parametrize("header", [b"", b"\xc0", b"\x90", b"\xa1x", b"\x80", b"\x01"])
def test_a_header_must_be_a_table(header: bytes) -> None:
    refused([header])


def lie(change: Callable[[dict[str, Any]], None]) -> list[Any]:
    header = header_of(SUBMIT)
    change(header["body"]["inputs"][0])
    return [msgpack.packb(header), *wire.encode(SUBMIT)[1:]]


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 61},
        {"bytes": 60.0},
        {"bytes": -60},
        {"bytes": None},
        {"width": 6},
        {"width": 15, "height": 4},
        {"width": -5, "height": -3},
        {"width": 2**62, "height": 2**62},
        {"width": True},
        {"format": "rgb8"},
        {"kind": "file"},
        {"kind": None},
        {"x": 2**31},
        {"y": 0.5},
        {"name": ""},
        {"name": 5},
    ],
)
def test_lying_pictures_are_refused(change: dict[str, Any]) -> None:
    frames = lie(lambda entry: entry.update(change))
    with pytest.raises(NuriError) as caught:
        wire.decode(frames)
    assert caught.value.code in (ErrorCode.malformed, ErrorCode.too_large)


def test_a_byte_count_of_true_is_no_one() -> None:
    frame = Frame(job="j", index=0, planes=(picture(width=1, height=1),))
    header = header_of(frame)
    header["body"]["planes"][0].update(bytes=True, width=1, height=1, format="gray8")
    refused([msgpack.packb(header), b"x"])


def test_too_many_and_too_few_frames() -> None:
    frames = wire.encode(SUBMIT)
    refused(frames[:-1])
    refused([*frames, b""])
    refused([])
    refused([frames[0], *[b"x"] * 1000])
    refused([*wire.encode(Ping()), b"x"])
    refused(wire.encode(Result(job="j"))[:1])


def test_headers_over_the_limit_are_not_even_walked() -> None:
    refused([bytes(limits.HEADER_BYTES + 1)], ErrorCode.too_large)
    result = header_of(Result(job="j"))
    result["info"] = limits.INFO_BYTES + 1
    refused([msgpack.packb(result), bytes(limits.INFO_BYTES + 1)], ErrorCode.too_large)


def test_the_declared_info_length_must_be_true() -> None:
    header = header_of(Status(version="1", pid=1, device="", uptime=0))
    for length in (None, 0, True, -1, 2**60, "8"):
        refused([msgpack.packb({**header, "info": length}), b"\x80"])


def test_the_info_frame_cannot_name_pictures() -> None:
    info = msgpack.packb({"info": {}, "outputs": [{"kind": "pixels"}] * 64, "job": "other"})
    header = {**header_of(Result(job="j")), "info": len(info)}
    assert wire.decode([msgpack.packb(header), info]) == Result(job="j")
