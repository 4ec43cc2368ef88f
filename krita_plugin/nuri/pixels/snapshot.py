"""The only file that reads the pixels of still pictures; `timeline.py` reads those of animations.

Reads from copies of layers (cheap: Krita copies on write), a few rows per turn of the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.errors import ErrorCode, NuriError

from .. import layers
from ..qt import QRect
from ..steps import Work
from .colourspace import SRGB8, SRGB16, ColourSpace
from .hidden import HiddenCopy
from .rendering import Rendering
from .rows import Pixels, read_rows


class Snapshot(HiddenCopy):
    """Some layers of a document as they are now, whatever the artist does next.

    ``time``: the frame of animated layers, by default where the playhead is. ``progress`` hears how
    much of a layer has been read, 0..1.
    Raises `NuriError` not_found when one of ``uids`` is not there.
    """

    def __init__(
        self,
        document: Any,
        *uids: str,
        progress: Callable[[float], None],
        time: int | None = None,
    ) -> None:
        super().__init__(document)
        self._progress = progress
        self._time = document.currentTime() if time is None else time
        self._rendering = Rendering(self)
        self.canvas = QRect(0, 0, document.width(), document.height())
        self._space = ColourSpace.of(document)
        self._names = {uid: layers.require(document, uid).name() for uid in uids}
        self._nodes = {uid: self._take(document, uid) for uid in uids}
        selection = document.selection()
        self._selection = selection.duplicate() if selection is not None else None

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *reason: object) -> None:
        self._nodes.clear()
        super().__exit__(*reason)

    def read_line(self, uid: str) -> Work:
        """The whole canvas of one layer as 8 bit sRGB; returns `Pixels` in bgra8.

        Raises `NuriError` bad_input (nothing on the layer).
        """
        node, painted = yield from self._painted(
            uid, "The layer", "is blank", "draw lines on it, or choose another line layer"
        )
        return (yield from self._read(node, self.canvas, painted, SRGB8))

    def read_picture(self, uid: str) -> Work:
        """The whole canvas of one layer as sRGB, 8 bit in a document of 8 bit, else 16.

        Returns (`Pixels`, their `ColourSpace`). Raises `NuriError` bad_input (nothing on the
        layer).
        """
        node, painted = yield from self._painted(
            uid, "The layer", "is blank", "choose the layer with the picture in the Layers docker"
        )
        target = SRGB8 if self._space.depth == "U8" else SRGB16
        return (yield from self._read(node, self.canvas, painted, target)), target

    def read_hints(self, uid: str, target: ColourSpace) -> Work:
        """The painted part of one layer in ``target``; returns `Pixels`.

        Raises `NuriError` bad_input (nothing painted on the canvas).
        """
        node, painted = yield from self._painted(
            uid,
            "The hint layer",
            "is empty",
            "paint a dot or a stroke of colour into each area first",
        )
        return (yield from self._read(node, painted, painted, target))

    def read_reference(self, uid: str) -> Work:
        """The painted part of one layer as 8 bit sRGB; returns `Pixels` in bgra8.

        Raises `NuriError` bad_input (nothing painted on the canvas).
        """
        node, painted = yield from self._painted(
            uid, "The reference layer", "is empty", "remove it from the references, or paint on it"
        )
        return (yield from self._read(node, painted, painted, SRGB8))

    def read_selection(self) -> Pixels | None:
        """The selection as gray8, or None when everything may be coloured.

        Raises `NuriError` bad_input when the selection lies outside the canvas.
        """
        selection = self._selection
        if selection is None:
            return None
        box = QRect(selection.x(), selection.y(), selection.width(), selection.height())
        box = box.intersected(self.canvas)
        if box.isEmpty():
            raise NuriError(
                ErrorCode.bad_input,
                "The selection lies outside the canvas",
                "select a part of the drawing, or nothing",
            )
        data = selection.pixelData(box.x(), box.y(), box.width(), box.height())
        return Pixels(box.x(), box.y(), box.width(), box.height(), "gray8", bytes(data))

    def _painted(self, uid: str, what: str, fault: str, remedy: str) -> Work:
        """Returns (the node to read a layer from, the area of it that is painted on the canvas)."""
        node = self._nodes[uid]
        if node is None:
            node = yield from self._rendering.at(uid, self._time)
        painted = node.bounds().intersected(self.canvas)
        if painted.isEmpty():
            message = f'{what} "{self._names[uid]}" {fault}'
            raise NuriError(ErrorCode.bad_input, message, remedy)
        return node, painted

    def _take(self, document: Any, uid: str) -> Any:
        """A still paint layer alone is copied alone, None for others: Krita renders these only in a
        document, and what an animated one shows follows the playhead of its document.
        """
        node = layers.require(document, uid)
        if layers.is_plain(node) and not node.animated():
            return node.duplicate()
        layers.require(self.document, uid)  # as it is now
        return None

    def _read(self, node: Any, area: QRect, painted: QRect, target: ColourSpace) -> Work:
        """Pixels of ``area`` in ``target``; rows above and below ``painted`` stay transparent."""
        spaces = ColourSpace.of(node), target
        read = layers.reader(node)
        return (yield from read_rows(self, read, area, painted, spaces, self._progress))
