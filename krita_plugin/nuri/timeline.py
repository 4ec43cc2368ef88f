"""The only file that reads or writes key frames.

Krita's Python can read them, but not make any. So a small hidden document is saved, empty key
frames are written into its file, and it is opened again: its layer is filled frame by frame and
then goes into the artist's document in one undo step, whatever times the key frames have.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import layers
from .colourspace import ColourSpace, travel_space
from .document import insert, when_idle
from .hidden import HiddenCopy
from .made import digest
from .notice import Notice
from .qt import QRect
from .rows import Pixels, read_rows, write_rows
from .steps import Work

# Key frames may lie behind the end of the document's range; asking costs a microsecond each.
_LAST_TIME = 9999
# The hidden document's own canvas: layers may be larger, and a small one is drawn at once.
_SIDE = 16
_LAYER = "frames"
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


def show_next(notice: Notice | None) -> None:
    """Moves the playhead to the next of the frames that a notice is about, round and round."""
    document = Krita.instance().activeDocument()
    if document is None or notice is None or not notice.times:
        return
    now = document.currentTime()
    after = [time for time in notice.times if time > now]
    document.setCurrentTime((after or sorted(notice.times))[0])


class Timeline(HiddenCopy):
    """The layers of a document at any time, as they are now, whatever the artist does next.

    ``now``: where the playhead is. ``span``: of `selected_span`.
    """

    def __init__(self, document: Any) -> None:
        super().__init__(document)
        self.canvas = QRect(0, 0, document.width(), document.height())
        self.space = ColourSpace.of(document)
        # Made at once: later the artist may have gone on.
        self.now = self.document.currentTime()
        self.span = selected_span(document)
        self._times: dict[str, list[int]] = {}

    def __enter__(self) -> Timeline:
        return self

    def times(self, uid: str) -> list[int]:
        """`key_times` of one layer. Raises `NuriError` not_found."""
        if uid not in self._times:
            self._times[uid] = key_times(layers.require(self.document, uid))
        return self._times[uid]

    def read(self, uid: str, time: int, target: ColourSpace) -> Work:
        """The whole canvas of one layer at a time of its `key_times`, in ``target``; `Pixels`.

        A still layer looks the same at all times. Raises `NuriError` not_found.
        """
        node = layers.require(self.document, uid)
        spaces = ColourSpace.of(node), target
        read = self._reader(node, time)
        return (yield from read_rows(self, read, self.canvas, self.canvas, spaces))

    def digest(self, uid: str, time: int) -> Work:
        """A short name of the pixels of a key frame of a paint layer; returns text."""
        return (yield from _digest(layers.require(self.document, uid), self.canvas, time))

    def _reader(self, node: Any, time: int) -> Callable[[int, int, int, int], Any]:
        if not self.times(layers.uid_of(node)):
            return layers.reader(node)
        if layers.is_plain(node):
            return lambda x, y, width, height: node.pixelDataAtTime(x, y, width, height, time)
        # What a group looks like is only known where the playhead is; that of the copy is free.
        self.document.setCurrentTime(time)
        self.document.waitForDone()
        return layers.reader(node)


def is_blank(pixels: Pixels) -> bool:
    """True when nothing is painted. ``pixels``: bgra8; elsewhere transparent has many values."""
    alpha = bytes(memoryview(pixels.data)[3::4])
    return alpha.count(0) == len(alpha)


class FrameSheet:
    """A layer in the making with a key frame at each of ``times``. Use it with ``with``.

    `open` first; then `write` frames in any order; ``node`` is ready to be copied at any time,
    frames that were not written are empty.
    """

    def __init__(self, timeline: Timeline, times: Iterable[int]) -> None:
        # Krita's layers always have a key frame at 0.
        self._times = sorted({0, *times})
        self._timeline = timeline
        self._folder = Path(tempfile.mkdtemp(prefix="nuri-"))
        self._document: Any = None
        self.node: Any = None

    def __enter__(self) -> FrameSheet:
        return self

    def __exit__(self, *_: object) -> None:
        self.node = None
        if self._document is not None:
            _drop(self._document)
            self._document = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self) -> Work:
        """Makes the empty key frames. Raises `NuriError` disk_full or internal."""
        path = self._folder / "frames.kra"
        seed = Krita.instance().createDocument(_SIDE, _SIDE, _LAYER, *self._timeline.space, 72.0)
        try:
            yield 0
            paper = layers.children(seed.rootNode())
            seed.rootNode().addChildNode(seed.createNode(_LAYER, "paintlayer"), None)
            for node in paper:
                node.remove()
            seed.setBatchmode(True)
            seed.waitForDone()
            yield 0
            is_saved = seed.saveAs(str(path))
        finally:
            _drop(seed)
        if not is_saved:
            raise NuriError(
                ErrorCode.disk_full,
                f"Nuri cannot write to the folder {self._folder.parent}",
                "free some space there",
            )
        yield 0
        add_key_frames(path, self._times)
        yield 0
        krita = Krita.instance()
        was_quiet = krita.batchmode()
        # A file that does not please Krita would open a window otherwise.
        krita.setBatchmode(True)
        self._document = krita.openDocument(str(path))
        krita.setBatchmode(was_quiet)
        if self._document is None:
            raise NuriError(ErrorCode.internal, "Krita does not open its own animation file")
        self._document.waitForDone()
        self.node = layers.children(self._document.rootNode())[0]
        yield 0

    def write(self, time: int, pixels: Pixels, source: ColourSpace | None = None) -> Work:
        """Fills the key frame at ``time``. ``source``: of the pixels; by default the travel space
        of the document.
        """
        self._document.setCurrentTime(time)
        self._document.waitForDone()
        yield 0
        space = self._timeline.space
        source = source or travel_space(space)
        yield from write_rows(self._timeline, self.node, pixels, source, space)

    def digest(self, time: int) -> Work:
        """As `Timeline.digest`, of a frame that has been written."""
        return (yield from _digest(self.node, self._timeline.canvas, time))


def _digest(node: Any, canvas: QRect, time: int) -> Work:
    parts = []
    step = max(1, _DIGEST_PIXELS // canvas.width())
    for y in range(0, canvas.height(), step):
        count = min(step, canvas.height() - y)
        rows = node.pixelDataAtTime(canvas.x(), y, canvas.width(), count, time)
        parts.append(digest(bytes(rows)))
        yield 0
    return digest(*parts)


def add_frames(
    key: str,
    sheet: FrameSheet,
    size: QRect,
    name: str,
    place_in: Callable[[Any], layers.Place],
) -> Work:
    """Adds the frames of ``sheet`` as a new layer, in one undo step.

    ``size``: the canvas that they were made for. ``place_in``: where it belongs in the document.
    Returns the identity of the layer. Raises `NuriError`: not_found (document closed), bad_input
    (canvas resized meanwhile), busy.
    """
    document = yield from when_idle(key)
    if (document.width(), document.height()) != (size.width(), size.height()):
        raise NuriError(ErrorCode.bad_input, "The canvas has been resized meanwhile")
    place = place_in(document)
    if place.blending != "normal":
        sheet.node.setBlendingMode(place.blending)
    node = sheet.node.duplicate()
    node.setName(layers.free_name(document, name))
    yield from insert(key, document, node, place)
    return layers.uid_of(node)


def add_key_frames(path: Path, times: Sequence[int]) -> None:
    """Gives the only layer of a .kra file that Krita has saved empty key frames at ``times``."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    main = files["maindoc.xml"].decode()
    tag = re.search(r"<layer\b[^>]*>", main)
    name = re.search(r'\bfilename="([^"]+)"', tag.group()) if tag else None
    if tag is None or name is None:
        raise NuriError(ErrorCode.internal, "Krita saves layers in a way that Nuri does not know")
    layer = name.group(1)
    place = next(n for n in files if n.endswith(f"/layers/{layer}")).removesuffix(layer)
    keyed = f'<layer keyframes="{layer}.keyframes.xml" intimeline="1" '
    rest = re.sub(r'\b(keyframes|intimeline)="[^"]*"\s*', "", tag.group().removeprefix("<layer"))
    files["maindoc.xml"] = main.replace(tag.group(), keyed + rest.lstrip(), 1).encode()
    head = files[place + layer].partition(b"DATA ")[0]
    clear = bytes(len(files[f"{place}{layer}.defaultpixel"]))
    entries = []
    for number, time in enumerate(times):
        frame = layer if number == 0 else f"{layer}.f{number}"
        files[place + frame] = head + b"DATA 0\n"
        files[f"{place}{frame}.defaultpixel"] = clear
        entries.append(
            f'<keyframe time="{time}" frame="{frame}" color-label="0">'
            '<offset type="point" x="0" y="0"/></keyframe>'
        )
    files[f"{place}{layer}.keyframes.xml"] = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<keyframes xmlns="http://www.calligra.org/DTD/krita-keyframes">\n'
        f'<channel name="content">{"".join(entries)}</channel>\n</keyframes>\n'
    ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", files.pop("mimetype"))
        for entry, data in files.items():
            archive.writestr(entry, data)


def _drop(document: Any) -> None:
    document.waitForDone()
    document.setModified(False)
    document.close()
