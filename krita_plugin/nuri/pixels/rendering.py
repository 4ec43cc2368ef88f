"""What layers of a hidden copy look like, without what Krita shows to the artist alone.

A group that passes through has no picture of its own, and the picture of an animated layer has its
onion skins in it: Krita's Python can neither ask for them nor switch them off. So groups stop
passing through, and where skins may be, a still layer takes the place of the animated one.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..qt import QRect
from ..steps import Work
from .colourspace import ColourSpace
from .hidden import HiddenCopy

_STEP_PIXELS = 2**19


class Rendering:
    """Brings the layers of one copy to the state in which `layers.reader` reads what is drawn."""

    def __init__(self, hidden: HiddenCopy) -> None:
        self._hidden = hidden
        # Of animated layers by identity: the still one in its place, and what is painted there.
        self._stills: dict[str, tuple[Any, QRect]] = {}

    def at(self, uid: str, time: int) -> Work:
        """Moves the copy to ``time``; returns the node to read a layer from, until the next call.

        Raises `NuriError` not_found.
        """
        node = layers.require(self._hidden.document, uid)
        is_new = layers.passes_through(node)
        if is_new:
            node.setPassThroughMode(False)
        self._hidden.move_to(time)
        if not layers.is_plain(node):
            is_new |= yield from self._stills_of(node)
        if is_new:
            self._refresh()
        return self._stills[uid][0] if uid in self._stills else node

    def whole(self, time: int) -> Work:
        """Moves the copy to ``time``, so that the document itself shows what is drawn."""
        self._hidden.move_to(time)
        if (yield from self._stills_of(self._hidden.document.rootNode())):
            self._refresh()

    def _refresh(self) -> None:
        self._hidden.document.refreshProjection()
        self._hidden.settle()

    def _stills_of(self, node: Any) -> Work:
        """`_still` for all animated layers of a node; returns whether anything changed."""
        is_new = False
        for part in (node, *(child for child, _ in layers.walk(node))):
            if part.type() == "paintlayer" and part.animated():
                is_new |= yield from self._still(part)
        return is_new

    def _still(self, node: Any) -> Work:
        """Shows the frame of now of an animated layer on a still one, unless the layer itself looks
        like its frame; returns whether it did.
        """
        uid = layers.uid_of(node)
        if uid not in self._stills:
            if layers.is_plain(node) and not (yield from self._has_skins(node)):
                return False
            self._stills[uid] = self._stand_in(node), QRect()
        still, painted = self._stills[uid]
        still.setOpacity(node.opacity())  # it may have key frames, too
        area = node.bounds().united(painted)
        for y, count in _bands(area):
            row = area.x(), y, area.width(), count
            still.setPixelData(node.pixelData(*row), *row)
            yield 0
        self._stills[uid] = still, node.bounds()
        return True

    def _has_skins(self, node: Any) -> Work:
        """Whether Krita draws more than the frame of a layer without masks."""
        document = self._hidden.document
        for y, count in _bands(QRect(0, 0, document.width(), document.height())):
            row = 0, y, document.width(), count
            if node.projectionPixelData(*row) != node.pixelData(*row):
                return True
            yield 0
        return False

    def _stand_in(self, node: Any) -> Any:
        """An empty still layer above an animated one that looks as that one, which is hidden."""
        still = self._hidden.document.createNode(node.name(), "paintlayer")
        if ColourSpace.of(still) != ColourSpace.of(node):
            still.setColorSpace(*ColourSpace.of(node))
        still.setBlendingMode(node.blendingMode())
        still.setInheritAlpha(node.inheritAlpha())
        still.setVisible(node.visible())
        if style := node.layerStyleToAsl():
            still.setLayerStyleFromAsl(style)
        for mine, theirs in zip(still.channels(), node.channels(), strict=True):
            mine.setVisible(theirs.visible())
        for mask in layers.children(node):
            still.addChildNode(mask.duplicate(), None)
        node.parentNode().addChildNode(still, node)
        node.setVisible(False)
        self._hidden.settle()
        return still


def _bands(area: QRect) -> list[tuple[int, int]]:
    """(y, height) of pieces of an area that are read in one step each."""
    step = max(1, _STEP_PIXELS // max(1, area.width()))
    end = area.y() + area.height()
    return [(y, min(step, end - y)) for y in range(area.y(), end, step)]
