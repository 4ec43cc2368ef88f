"""The only file that makes key frames.

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

from .. import layers
from ..document import FOR_EVER, Added, insert, when_idle
from ..pixels.colourspace import ColourSpace, travel_space
from ..pixels.rows import Pixels, read_rows, write_rows
from ..steps import Work
from ..timeline import Timeline, digest_of, key_times

# The hidden document's own canvas: layers may be larger, and a small one is drawn at once.
_SIDE = 16
_LAYER = "frames"


class FrameSheet:
    """A layer in the making with a key frame at each of ``times``, those of the layer ``leader``.

    Use it with ``with``. `open` first; then `write` frames in any order; ``node`` is ready to be
    copied at any time, frames that were not written are empty. ``written``: times of the others.
    """

    def __init__(self, timeline: Timeline, leader: str, times: Iterable[int]) -> None:
        self.timeline, self.leader = timeline, leader
        # Krita's layers always have a key frame at 0.
        self.times = sorted({0, *times})
        self.written: set[int] = set()
        self.node: Any = None
        self._folder = Path(tempfile.mkdtemp(prefix="nuri-"))
        self._document: Any = None

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
        seed = Krita.instance().createDocument(_SIDE, _SIDE, _LAYER, *self.timeline.space, 72.0)
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
        add_key_frames(path, self.times)
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
        space = self.timeline.space
        source = source or travel_space(space)
        yield from write_rows(self.timeline, self.node, pixels, source, space)
        self.written.add(time)

    def read(self, time: int) -> Work:
        """The canvas of a frame as `Pixels` in the travel space of the document."""
        canvas, space = self.timeline.canvas, self.timeline.space

        def read(x: int, y: int, width: int, height: int) -> Any:
            return self.node.pixelDataAtTime(x, y, width, height, time)

        spaces = space, travel_space(space)
        return (yield from read_rows(self.timeline, read, canvas, canvas, spaces))

    def digest(self, time: int) -> Work:
        """As `Timeline.digest`."""
        return (yield from digest_of(self.node, self.timeline.canvas, time))

    def corner(self, time: int) -> tuple[int, int] | None:
        """Left and top of what is painted on a frame, None for an empty one."""
        self._document.setCurrentTime(time)
        self._document.waitForDone()
        painted = self.node.bounds()
        return None if painted.isEmpty() else (painted.x(), painted.y())

    def fits(self, document: Any) -> bool:
        """Whether a document has the canvas, the colours and the key frames that it was made for.

        Where the leader has been deleted, its key frames count as they were.
        """
        canvas, leader = self.timeline.canvas, layers.find(document, self.leader)
        times = self.times if leader is None else sorted({0, *key_times(leader)})
        size = document.width(), document.height()
        is_canvas = size == (canvas.width(), canvas.height())
        return is_canvas and ColourSpace.of(document) == self.timeline.space and times == self.times


def add_frames(
    key: str,
    sheet: FrameSheet,
    name: str,
    place_in: Callable[[Any], layers.Place],
    added: Added,
) -> Work:
    """Adds the frames of ``sheet`` as a new layer, in one undo step.

    Waits for the document as long as it takes. ``place_in``: where it belongs in there. Returns the
    identity of the layer, "" where the sheet does not fit the document any more. Raises `NuriError`
    not_found (document closed).
    """
    document = yield from when_idle(key, FOR_EVER)
    if not sheet.fits(document):
        return ""
    place = place_in(document)
    if place.blending != "normal":
        sheet.node.setBlendingMode(place.blending)
    node = sheet.node.duplicate()
    node.setName(layers.free_name(document, name))
    yield from insert(key, document, node, place, added)
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
