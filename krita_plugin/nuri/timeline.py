"""The only file that reads key frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from krita import Krita

from . import layers
from .made import digest
from .pixels.colourspace import ColourSpace
from .pixels.hidden import HiddenCopy
from .pixels.rendering import Rendering
from .pixels.rows import Pixels, read_rows
from .qt import QRect
from .steps import Work

# Key frames may lie behind the end of the document's range; asking costs a microsecond each.
_LAST_TIME = 9999
_DIGEST_PIXELS = 2**20


def key_times(node: Any) -> list[int]:
    """The times of a layer's key frames, of a group those of all that is in it; [] for a still."""
    animated = [n for n in (node, *(child for child, _ in layers.walk(node))) if n.animated()]
    times = range(_LAST_TIME + 1)
    return sorted({time for n in animated for time in times if n.hasKeyframeAtTime(time)})


def shown_at(times: Sequence[int], time: int) -> int:
    """The key frame that is seen at ``time``: the last one up to it, else the first."""
    return max((key for key in times if key <= time), default=times[0])


def shown_in(times: Sequence[int], span: tuple[int, int]) -> set[int]:
    """The key frames of which something is seen from the first to the last time of ``span``."""
    ends = [*times[1:], _LAST_TIME + 1]
    return {t for t, end in zip(times, ends, strict=True) if t <= span[1] and end > span[0]}


def selected_span(document: Any) -> tuple[int, int] | None:
    """First and last time of the frames that are selected in the timeline; None for all."""
    span = document.playBackStartTime(), document.playBackEndTime()
    whole = document.fullClipRangeStartTime(), document.fullClipRangeEndTime()
    return None if span == whole or span[0] >= span[1] else span


def show(time: int) -> None:
    """Moves the playhead of the active document, if there is one."""
    document = Krita.instance().activeDocument()
    if document is not None:
        document.setCurrentTime(time)


def show_next(times: Sequence[int]) -> int | None:
    """As `show`, of the next of ``times`` behind the playhead, round and round; returns which."""
    document = Krita.instance().activeDocument()
    if document is None or not times:
        return None
    time = min((time for time in times if time > document.currentTime()), default=min(times))
    document.setCurrentTime(time)
    return time


class Timeline(HiddenCopy):
    """The layers of a document at any time, as they are now, whatever the artist does next.

    ``now``: where the playhead is, or was when the artist asked. ``span``: of `selected_span`.
    """

    def __init__(self, document: Any, now: int | None = None) -> None:
        super().__init__(document)
        self.canvas = QRect(0, 0, document.width(), document.height())
        self.space = ColourSpace.of(document)
        # Made at once: later the artist may have gone on.
        self.now = self.document.currentTime() if now is None else now
        self.span = selected_span(document)
        self._times: dict[str, list[int]] = {}
        self._rendering = Rendering(self)

    def __enter__(self) -> Timeline:
        return self

    @property
    def view(self) -> str:
        """What decides, beside its pixels, how a layer reads: the canvas and the colour space."""
        return " ".join((f"{self.canvas.width()}x{self.canvas.height()}", *self.space))

    def times(self, uid: str) -> list[int]:
        """`key_times` of one layer. Raises `NuriError` not_found."""
        if uid not in self._times:
            self._times[uid] = key_times(layers.require(self.document, uid))
        return self._times[uid]

    def read(self, uid: str, time: int, target: ColourSpace, area: QRect | None = None) -> Work:
        """One layer at a time of its `key_times`, in ``target``; `Pixels`.

        ``area``: by default the canvas. A still layer looks the same at all times. Raises
        `NuriError` not_found.
        """
        area = area or self.canvas
        node = layers.require(self.document, uid)
        spaces = ColourSpace.of(node), target
        read = yield from self._reader(node, time)
        return (yield from read_rows(self, read, area, area, spaces))

    def digest(self, uid: str, time: int, area: QRect | None = None) -> Work:
        """A short name of the pixels of a key frame of a paint layer, on the canvas or in ``area``;
        returns text.
        """
        node = layers.require(self.document, uid)
        return (yield from digest_of(node, area or self.canvas, time))

    def bounds(self, uid: str, time: int) -> QRect:
        """What is painted of a layer at a time, beyond the canvas, too."""
        self.move_to(time)
        return layers.require(self.document, uid).bounds()

    def _reader(self, node: Any, time: int) -> Work:
        """Returns how to read a layer at a time: (x, y, width, height) -> raw bytes."""
        uid = layers.uid_of(node)
        is_animated = bool(self.times(uid))
        if not layers.is_plain(node):
            # What a group looks like is only known where the playhead is; that of the copy is free.
            moment = time if is_animated else self.document.currentTime()
            node = yield from self._rendering.at(uid, moment)
        elif is_animated:
            return lambda x, y, width, height: node.pixelDataAtTime(x, y, width, height, time)
        return layers.reader(node)


def is_blank(pixels: Pixels) -> Work:
    """True when nothing is painted. ``pixels``: bgra8; elsewhere transparent has many values."""
    alpha = memoryview(pixels.data)[3::4]
    for start in range(0, len(alpha), _DIGEST_PIXELS):
        part = bytes(alpha[start : start + _DIGEST_PIXELS])
        if part.count(0) != len(part):
            return False
        yield 0
    return True


def digest_of(node: Any, area: QRect, time: int) -> Work:
    """A short name of the pixels of a key frame of a paint layer; returns text."""
    parts = []
    step = max(1, _DIGEST_PIXELS // area.width())
    for y in range(0, area.height(), step):
        count = min(step, area.height() - y)
        rows = node.pixelDataAtTime(area.x(), area.y() + y, area.width(), count, time)
        parts.append(digest(bytes(rows)))
        yield 0
    return digest(*parts)
