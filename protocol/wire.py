"""Messages to ZeroMQ frames and back: [header] [info, for some] [one frame per picture].

Nothing here copies a picture, and nothing allocates by a length that the peer claims: every
structure is walked and bounded (`_check_structure`) before msgpack may build it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

import msgpack  # type: ignore[import-untyped]

from . import checks, limits
from .errors import ErrorCode, ErrorInfo, NuriError
from .messages import MESSAGES, Hello, Limits, Message, Refused
from .pixels import EncodedImage, PixelBuffer, Plane
from .version import PROTOCOL_VERSION, can_talk, mismatch_action

Buffer = bytes | memoryview
_PIXELS = "pixels"
_ENCODED = "encoded"
# Understood across all versions, so that a refusal can be asked for and read.
_TIMELESS = (Hello.TYPE, Refused.TYPE)


@dataclass(frozen=True)
class Envelope:
    """A message with what its header says beside it."""

    message: Message
    session: str
    protocol: str


def encode(message: Message, session: str = "") -> list[Buffer]:
    """Frames of ``message`` for ``send_multipart(frames, copy=False)``.

    Raises `NuriError` too_large when the header or the info frame outgrows its limit.
    """
    body: dict[str, Any] = {}
    info: dict[str, Any] = {}
    planes: tuple[Plane, ...] = ()
    for entry in fields(message):  # type: ignore[arg-type]
        value = getattr(message, entry.name)
        if entry.name == message.PLANES:
            planes = value
            body[entry.name] = [_describe(plane) for plane in planes]
        elif entry.name in message.INFO:
            info[entry.name] = value
        else:
            body[entry.name] = _plain_value(value)
    header: dict[str, Any] = {
        "protocol": PROTOCOL_VERSION,
        "type": message.TYPE,
        "session": session,
        "body": body,
    }
    frames: list[Buffer] = []
    if message.INFO:
        frames.append(_pack(info, "info", limits.INFO_BYTES))
        header["info"] = len(frames[0])
    frames.insert(0, _pack(header, "header", limits.HEADER_BYTES))
    frames.extend(plane.data for plane in planes)
    return frames


def decode(frames: Sequence[Any], accept: Collection[str] | None = None) -> Message:
    """The message in ``frames`` (bytes-like, or zmq.Frame); see `decode_envelope`."""
    return decode_envelope(frames, accept).message


def decode_envelope(frames: Sequence[Any], accept: Collection[str] | None = None) -> Envelope:
    """The message in ``frames`` with its session.

    ``accept``: the types (`Message.TYPE`) served on this socket, all by default. Pictures are
    memoryviews of their frames. Raises `NuriError` malformed, unsupported, too_large or
    version_mismatch; its ``info.job`` names the job when the header still gave that away.
    """
    if not 1 <= len(frames) <= limits.BUFFERS + 2:
        raise checks.malformed(f"a message of {len(frames)} frames")
    views = [_view(frame) for frame in frames]
    header = _unpack(views[0], "header", limits.HEADER_BYTES)
    protocol, kind, session, body = (
        header.get(name) for name in ("protocol", "type", "session", "body")
    )
    checks.text(protocol, "protocol", 16)
    checks.text(kind, "type", limits.NAME)
    if kind not in _TIMELESS and not can_talk(str(protocol)):
        raise NuriError(
            ErrorCode.version_mismatch,
            f"A message of protocol {protocol} met protocol {PROTOCOL_VERSION}",
            mismatch_action(str(protocol)),
        )
    if kind not in MESSAGES or (accept is not None and kind not in accept):
        known = "is not served here" if kind in MESSAGES else "is unknown"
        raise NuriError(
            ErrorCode.unsupported,
            f"The message type {kind!r} {known} (protocol {PROTOCOL_VERSION})",
            "Update Nuri and its Krita plugin to the same version",
        )
    checks.identifier(session, "session", empty=True)
    if not isinstance(body, dict):
        raise checks.malformed("body must be a table")
    try:
        message = _build(MESSAGES[str(kind)], body, header.get("info"), views[1:])
    except NuriError as error:
        raise _with_job(error, body.get("job")) from None
    return Envelope(message, str(session), str(protocol))


def _build(cls: type[Message], body: Mapping[str, Any], info: Any, views: list[memoryview]) -> Any:
    values: dict[str, Any] = dict(body)
    if cls.INFO:
        if not views:
            raise checks.malformed(f"{cls.TYPE} came without its info frame")
        view = views.pop(0)
        if info != len(view) or isinstance(info, bool):
            raise checks.malformed(f"the info frame holds {len(view)} bytes, not {info}")
        values.update(_unpack(view, "info", limits.INFO_BYTES))
    if cls.PLANES:
        values[cls.PLANES] = _planes(values.get(cls.PLANES, []), views)
    elif views:
        raise checks.malformed(f"{cls.TYPE} came with {len(views)} frames too many")
    return _construct(cls, values)


def _construct(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance from the known fields of ``values``; unknown ones are ignored."""
    known: dict[str, Any] = {}
    entry: Field[Any]
    for entry in fields(cls):
        if entry.name in values:
            value = values[entry.name]
            if entry.type == "ErrorInfo":
                value = _error_info(value)
            elif entry.type == "Limits":
                value = _construct(Limits, _table(value, "limits"))
            known[entry.name] = value
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise checks.malformed(f"{getattr(cls, 'TYPE', cls.__name__)} lacks {entry.name}")
    return cls(**known)


def _error_info(value: Any) -> ErrorInfo:
    table = dict(_table(value, "error"))
    for entry in fields(ErrorInfo):
        checks.text(table.setdefault(entry.name, ""), f"error.{entry.name}", limits.DETAIL)
    if table["code"] not in ErrorCode.__members__:
        # A newer peer may know more codes; the text still tells the user.
        table["detail"] = f"code {table['code']}\n{table['detail']}"
        table["code"] = ErrorCode.internal
    return ErrorInfo(**{entry.name: table[entry.name] for entry in fields(ErrorInfo)})


def _describe(plane: Plane) -> dict[str, Any]:
    kind = _PIXELS if isinstance(plane, PixelBuffer) else _ENCODED
    description: dict[str, Any] = {"kind": kind, "bytes": len(plane.data)}
    for entry in fields(plane):
        if entry.name != "data":
            description[entry.name] = _plain_value(getattr(plane, entry.name))
    return description


def _planes(descriptions: Any, views: list[memoryview]) -> tuple[Plane, ...]:
    checks.sequence(descriptions, "pictures", limits.BUFFERS)
    if len(descriptions) != len(views):
        raise checks.malformed(f"{len(descriptions)} pictures came with {len(views)} frames")
    planes: list[Plane] = []
    for description, view in zip(descriptions, views, strict=True):
        table = dict(_table(description, "a picture"))
        size, kind = table.get("bytes"), table.get("kind")
        if size != len(view) or isinstance(size, bool):
            raise checks.malformed(f"a picture frame holds {len(view)} bytes, not {size}")
        table["data"] = view
        checks.choice(kind, "the kind of a picture", (_PIXELS, _ENCODED))
        planes.append(_construct(PixelBuffer if kind == _PIXELS else EncodedImage, table))
    return tuple(planes)


def _plain_value(value: Any) -> Any:
    if isinstance(value, (ErrorInfo, Limits)):
        return {entry.name: _plain_value(getattr(value, entry.name)) for entry in fields(value)}
    return getattr(value, "value", value)


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise checks.malformed(f"{name} must be a table, not {type(value).__name__}")
    return value


def _view(frame: Any) -> memoryview:
    view = memoryview(frame)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


def _with_job(error: NuriError, job: Any) -> NuriError:
    try:
        checks.identifier(job, "job")
    except NuriError:
        return error
    info = error.info
    return NuriError(info.code, info.message, info.action, detail=info.detail, job=job)


def _pack(value: dict[str, Any], name: str, limit: int) -> bytes:
    packed: bytes = msgpack.packb(value)
    if len(packed) > limit:
        raise checks.too_large(f"The {name} of a message is larger than {limit} bytes")
    return packed


def _unpack(view: memoryview, name: str, limit: int) -> dict[str, Any]:
    if len(view) > limit:
        raise checks.too_large(f"The {name} of a message is larger than {limit} bytes")
    data = bytes(view)
    _check_structure(data, name)
    try:
        value = msgpack.unpackb(data, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise checks.malformed(f"the {name} holds text that is no UTF-8") from None
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise checks.malformed(f"the {name} is no msgpack: {error}") from None
    if not isinstance(value, dict):
        raise checks.malformed(f"the {name} must be a table")
    return value


def _unique(pairs: Any) -> dict[str, Any]:
    pairs = list(pairs)
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name comes twice in one table")
    return table


_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}


def _steps() -> list[int]:
    """Bytes that a whole value takes, by its first byte; 0 where more than that byte decides."""
    steps = [1] * 256
    numbers = {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}
    numbers.update({0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9})
    for byte, size in numbers.items():
        steps[byte] = size
    for byte in range(0xA0, 0xC0):
        steps[byte] = 1 + (byte & 31)
    # 0xc1 is unused; raw bytes (0xc4-0xc6) and ext types (0xc7-0xc9, 0xd4-0xd8) never travel.
    for byte in (*range(0x80, 0xA0), 0xC1, *range(0xC4, 0xCA), *range(0xD4, 0xE0)):
        steps[byte] = 0
    return steps


_STEPS = _steps()


def _check_structure(data: bytes, name: str) -> None:
    """Walks msgpack without building it: one whole value, its depth and claimed lengths honest."""
    position = 0
    pending = 1
    stack: list[int] = []
    try:
        while True:
            while pending:
                pending -= 1
                byte = data[position]
                if step := _STEPS[byte]:
                    position += step
                    continue
                position += 1
                if width := _TEXTS.get(byte):
                    position += width + _length(data, position, width)
                    continue
                children, width = _children(byte, data, position, name)
                position += width
                # A child takes one byte at least, so an honest count never exceeds what is left.
                if children > len(data) - position:
                    raise checks.malformed(f"the {name} claims more entries than it has bytes")
                if len(stack) >= limits.DEPTH:
                    raise checks.malformed(f"the {name} is nested deeper than {limits.DEPTH}")
                stack.append(pending)
                pending = children
            if not stack:
                break
            pending = stack.pop()
    except IndexError:
        raise checks.malformed(f"the {name} ends too early") from None
    if position != len(data):
        raise checks.malformed(f"the {name} has the wrong length")


def _children(byte: int, data: bytes, position: int, name: str) -> tuple[int, int]:
    """(values that follow in this array or table, bytes of their count)."""
    if 0x80 <= byte < 0x90:
        return 2 * (byte & 15), 0
    if 0x90 <= byte < 0xA0:
        return byte & 15, 0
    if width := _ARRAYS.get(byte):
        return _length(data, position, width), width
    if width := _MAPS.get(byte):
        return 2 * _length(data, position, width), width
    raise checks.malformed(f"the {name} holds raw bytes or extension types")


def _length(data: bytes, position: int, width: int) -> int:
    return int.from_bytes(data[position : position + width], "big")
