"""Where the backend was not sure of an animation: listed for the docker, a layer on request.

The layer has a key frame wherever the result has one, and a translucent red over the doubtful
areas. It is the artist's to look at and to throw away; Nuri takes it for nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from protocol.errors import ErrorCode, NuriError

from .. import layers, made
from ..daemon import Backend
from ..document import when_idle
from ..jobs.layer_job import LayerJob, Outcome
from ..notice import Kind, Notice
from ..pixels.colourspace import SRGB8
from ..pixels.rows import Pixels
from ..qt import QByteArray, QObject
from ..steps import Work
from ..timeline import Timeline
from .sheet import FrameSheet, add_frames

LAYER_NAME = "Doubtful areas"
_KEY = "nuri_doubts"
_ABOUT = "Nuri: where the colours of animations are a guess"
_DOUBTFUL = 128  # of 255: areas that are less sure than this are marked
_MARK = (40, 40, 230, 130)  # blue, green, red, alpha
_MASK = bytes(255 if value < _DOUBTFUL else 0 for value in range(256))


def pack(confidence: Pixels) -> bytes:
    """The doubtful places of a frame, small. ``confidence``: gray8, 255 is sure."""
    return zlib.compress(bytes(confidence.data).translate(_MASK))


def remember(document: Any, uid: str, masks: dict[int, bytes]) -> None:
    """Notes the masks of `pack` of a result by time; saved with the document, and no undo step."""
    known = made.noted(document, _KEY)
    known[uid] = {time: base64.b64encode(mask).decode() for time, mask in masks.items()}
    kept = {name: known[name] for name in made.results(document) if name in known}
    document.setAnnotation(_KEY, _ABOUT, QByteArray(json.dumps(kept).encode()))


def masks_of(document: Any, uid: str) -> dict[int, bytes]:
    """What was noted of a result: masks of `pack` by time."""
    try:
        noted = made.noted(document, _KEY).get(uid, {})
        return {int(time): base64.b64decode(mask) for time, mask in noted.items()}
    except (AttributeError, TypeError, ValueError, binascii.Error):
        return {}  # noted by another version


def listed(document: Any, line: str) -> list[tuple[int, int]]:
    """The doubtful frames of the newest result for a line layer: (time, how many areas)."""
    frames = made.latest(document, line).frames
    return sorted((time, frame.doubts) for time, frame in frames.items() if frame.doubts)


class MarkJob(LayerJob):
    """Adds a layer with marks over the doubtful areas of the newest animation of a line layer.

    ``document``, ``line``: identities. What the artist has painted on since is not marked.
    """

    def __init__(
        self, backend: Backend, document: str, line: str, parent: QObject | None = None
    ) -> None:
        super().__init__(backend, parent)
        self._document, self._line = document, line

    def _work(self) -> Work:
        self._say(0.0, "Marking the frames")
        document = yield from when_idle(self._document)
        past = made.latest(document, self._line)
        masks = masks_of(document, past.layer)
        if not masks:
            raise NuriError(ErrorCode.cancelled, "No frame has doubtful areas; nothing to mark")
        with Timeline(document) as timeline:
            yield 0
            if past.view != timeline.view:
                raise _other_canvas()
            times = timeline.times(past.layer)
            with FrameSheet(timeline, past.layer, times) as sheet:
                yield from sheet.open()
                marked = []
                for number, time in enumerate(sorted(set(masks) & set(times))):
                    self._say(number / len(masks), f"Marking frame {time}")
                    now = yield from timeline.digest(past.layer, time)
                    if time in past.frames and past.frames[time].digest == now:
                        marks = _marks(masks[time], timeline)
                        yield from sheet.write(time, marks, SRGB8)
                        marked.append(time)
                if not marked:
                    raise NuriError(
                        ErrorCode.cancelled, "You have painted on all doubtful frames already"
                    )
                layer = yield from add_frames(
                    self._document, sheet, LAYER_NAME, layers.on_top, self._note_added
                )
        if not layer:
            raise NuriError(
                ErrorCode.bad_input, "The document has been changed meanwhile", "mark them again"
            )
        count = f"{len(marked)} frame{'s' if len(marked) != 1 else ''}"
        notice = Notice(
            Kind.done,
            f"The doubtful areas of {count} are marked in red",
            f'throw the layer "{LAYER_NAME}" away when you have seen them',
        )
        return Outcome(layer, notice=notice)


def _marks(mask: bytes, timeline: Timeline) -> Pixels:
    """The picture of a mask. Raises `NuriError` bad_input: the canvas has another size by now."""
    width, height = timeline.canvas.width(), timeline.canvas.height()
    try:
        # never more than fits, whatever someone wrote into the document
        places = zlib.decompressobj().decompress(mask, width * height + 1)
    except zlib.error:
        places = b""
    if len(places) != width * height:
        raise _other_canvas()
    data = bytearray(4 * len(places))
    for channel, value in enumerate(_MARK):
        data[channel::4] = places.translate(bytes([0] * 255 + [value]))
    return Pixels(0, 0, width, height, "bgra8", bytes(data))


def _other_canvas() -> NuriError:
    return NuriError(
        ErrorCode.bad_input,
        "The canvas has been resized or converted since these frames were coloured",
        "choose Colorize animation again",
    )
