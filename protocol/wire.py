"""Messages to ZeroMQ frames and back: [header] [info, for some] [one frame per picture].

Nothing here copies a picture, and nothing allocates by a length that the peer claims: every
header is walked and bounded (structure.py) before msgpack may build it.
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
from .structure import check_structure
from .version import PROTOCOL_VERSION, can_talk, mismatch

Buffer = bytes | memoryview
_PIXELS = "pixels"
_ENCODED = "encoded"
# Understood across all versions, so that a refusal can be asked for and read: the fields that they
# will always have besides ``protocol``, and how much of each is of use.
_TIMELESS = {
    Hello.TYPE: {"client": limits.NAME},
    Refused.TYPE: {"version": limits.NAME, "message": limits.MESSAGE, "action": limits.MESSAGE},
}


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

    ``accept``: the types (`Message.TYPE`) that a daemon serves on this socket; None for a client,
    which reads all. Pictures are memoryviews of their frames. Raises `NuriError` malformed,
    unsupported, too_large or version_mismatch (which says whether client or daemon is older); its
    ``info.job`` names the job when the header still gave that away.
    """
    if not 1 <= len(frames) <= limits.BUFFERS + 2:
        raise checks.malformed(f"a message of {len(frames)} frames")
    views = [_view(frame) for frame in frames]
    header = _unpack(views[0], "header", limits.HEADER_BYTES)
    greeting = _timeless(header, len(views))
    if greeting is not None and (accept is None or greeting.TYPE in accept):
        said = {name: text for name, text in header.items() if isinstance(text, str)}
        return Envelope(greeting, said.get("session", ""), said.get("protocol", greeting.protocol))
    if header.get("type") == Hello.TYPE:
        # Its own fields say all that is needed.
        header = {"protocol": PROTOCOL_VERSION, "session": "", **header}
    protocol, kind, session, body = (
        header.get(name) for name in ("protocol", "type", "session", "body")
    )
    checks.text(protocol, "protocol", 16, empty=False)
    checks.text(kind, "type", limits.NAME, empty=False)
    if kind not in _TIMELESS and not can_talk(str(protocol)):
        message = f"A message of protocol {protocol} met protocol {PROTOCOL_VERSION}"
        if accept is None:
            raise mismatch(message, daemon=str(protocol))
        raise mismatch(message, client=str(protocol))
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


def subject(frames: Sequence[Any]) -> str:
    """What an `Error` about a message that cannot be read replies to: the job that it names, else
    its type, else ""."""
    try:
        header = _unpack(_view(frames[0]), "header", limits.HEADER_BYTES)
    except (NuriError, IndexError):
        return ""
    body = header.get("body")
    for name in (body.get("job") if isinstance(body, dict) else None, header.get("type")):
        try:
            checks.identifier(name, "name")
        except NuriError:
            continue
        return str(name)
    return ""


def _timeless(header: Mapping[str, Any], frames: int) -> Hello | Refused | None:
    """A greeting or refusal of another major version, read by the fields that never change alone.

    None for every other message, and where these fields are not as they must be.
    """
    kind, body = header.get("type"), header.get("body")
    if not isinstance(kind, str) or kind not in _TIMELESS:
        return None
    if not isinstance(body, dict) or frames != 1:
        return None
    protocol = body.get("protocol")
    if not isinstance(protocol, str) or not 1 <= len(protocol) <= 16 or can_talk(protocol):
        return None
    bounds = _TIMELESS[kind]
    texts = {name: body.get(name, "") for name in bounds}
    if not all(isinstance(text, str) for text in texts.values()):
        return None
    cut = {name: texts[name][:bound] for name, bound in bounds.items()}
    return (Hello if kind == Hello.TYPE else Refused)(protocol=protocol, **cut)


def _build(cls: type[Message], body: Mapping[str, Any], info: Any, views: list[memoryview]) -> Any:
    values: dict[str, Any] = dict(body)
    if cls.INFO:
        if not views:
            raise checks.malformed(f"{cls.TYPE} came without its info frame")
        view = views.pop(0)
        _check_length(info, view, "info")
        table = _unpack(view, "info", limits.INFO_BYTES)
        values.update((name, table[name]) for name in cls.INFO if name in table)
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
        _check_length(table.get("bytes"), view, "picture")
        kind = table.get("kind")
        table["data"] = view
        checks.choice(kind, "the kind of a picture", (_PIXELS, _ENCODED))
        planes.append(_construct(PixelBuffer if kind == _PIXELS else EncodedImage, table))
    return tuple(planes)


def _check_length(claimed: object, view: memoryview, name: str) -> None:
    if type(claimed) is not int or claimed != len(view):
        raise checks.malformed(f"the {name} frame holds {len(view)} bytes, not the declared ones")


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
    check_structure(data, name)
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
    if not all(isinstance(name, str) for name in table):
        raise ValueError("the name of an entry is no text")
    return table
