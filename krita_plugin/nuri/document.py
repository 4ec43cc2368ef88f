"""The only file that reads or writes the pixels of Krita layers.

Reads from copies of layers (cheap: Krita copies on write), a few rows per turn of the event loop;
fills a new layer in the same way while it is in no document yet, and adds it: one undo step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import layers
from .colourspace import SRGB8, SRGB16, ColourSpace, pixel_format
from .hidden import HiddenCopy
from .qt import QRect
from .rows import Pixels, read_rows, write_rows
from .steps import Work

LAYER_NAME = "Colours"
_STROKE_POLL_MS = 200
_STROKE_PATIENCE_MS = 60_000
FOR_EVER = math.inf
# Krita activates an added layer in a later turn of the event loop.
_ACTIVATION_MS = 100


# The open documents that have been asked for, with their keys.
_keys: list[tuple[Any, str]] = []


def key_of(document: Any) -> str:
    """An identity that is the same for every wrapper of one open document, and no other's.

    That of its root; of documents that share it, as copies of a document do, the later ones get a
    number behind it.
    """
    uid = str(document.rootNode().uniqueId().toString())
    for known, key in _keys:
        if known == document and key.partition(" ")[0] == uid:
            return key
    documents = Krita.instance().documents()
    _keys[:] = [entry for entry in _keys if entry[0] != document and entry[0] in documents]
    taken = {key for _, key in _keys}
    number, key = 1, uid
    while key in taken:
        number += 1
        key = f"{uid} {number}"
    _keys.append((document, key))
    return key


def find_document(key: str) -> Any | None:
    """The open document of `key_of`, or None when it has been closed."""
    documents = Krita.instance().documents()
    return next((document for document in documents if key_of(document) == key), None)


def when_idle(key: str, patience_ms: float = _STROKE_PATIENCE_MS) -> Work:
    """Waits until nobody is in the middle of a stroke; returns the document.

    Raises `NuriError`: not_found (the document has been closed), busy (after ``patience_ms``).
    """
    waited = 0
    while True:
        document = find_document(key)
        if document is None:
            raise NuriError(ErrorCode.not_found, "The document has been closed")
        if document.tryBarrierLock():
            document.unlock()
            return document
        if waited >= patience_ms:
            raise NuriError(
                ErrorCode.busy, "Krita is busy with this document", "wait for it, then try again"
            )
        waited += _STROKE_POLL_MS
        yield _STROKE_POLL_MS


class Snapshot(HiddenCopy):
    """Some layers of a document as they are now, whatever the artist does next.

    ``progress`` hears how much of a layer has been read, 0..1.
    Raises `NuriError` not_found when one of ``uids`` is not there.
    """

    def __init__(self, document: Any, *uids: str, progress: Callable[[float], None]) -> None:
        super().__init__(document)
        self._progress = progress
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
        painted = self._painted(
            uid, "The layer", "is blank", "draw lines on it, or choose another line layer"
        )
        return (yield from self._read(uid, self.canvas, painted, SRGB8))

    def read_picture(self, uid: str) -> Work:
        """The whole canvas of one layer as sRGB, 8 bit in a document of 8 bit, else 16.

        Returns (`Pixels`, their `ColourSpace`). Raises `NuriError` bad_input (nothing on the
        layer).
        """
        painted = self._painted(
            uid, "The layer", "is blank", "choose the layer with the picture in the Layers docker"
        )
        target = SRGB8 if self._space.depth == "U8" else SRGB16
        return (yield from self._read(uid, self.canvas, painted, target)), target

    def read_hints(self, uid: str, target: ColourSpace) -> Work:
        """The painted part of one layer in ``target``; returns `Pixels`.

        Raises `NuriError` bad_input (nothing painted on the canvas).
        """
        painted = self._painted(
            uid,
            "The hint layer",
            "is empty",
            "paint a dot or a stroke of colour into each area first",
        )
        return (yield from self._read(uid, painted, painted, target))

    def read_reference(self, uid: str) -> Work:
        """The painted part of one layer as 8 bit sRGB; returns `Pixels` in bgra8.

        Raises `NuriError` bad_input (nothing painted on the canvas).
        """
        painted = self._painted(
            uid, "The reference layer", "is empty", "remove it from the references, or paint on it"
        )
        return (yield from self._read(uid, painted, painted, SRGB8))

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

    def _painted(self, uid: str, what: str, fault: str, remedy: str) -> QRect:
        painted = self._nodes[uid].bounds().intersected(self.canvas)
        if painted.isEmpty():
            message = f'{what} "{self._names[uid]}" {fault}'
            raise NuriError(ErrorCode.bad_input, message, remedy)
        return painted

    def _take(self, document: Any, uid: str) -> Any:
        """A paint layer alone is copied alone; others show their rendering only in a document."""
        node = layers.require(document, uid)
        if layers.is_plain(node):
            return node.duplicate()
        return layers.require(self.document, uid)

    def _read(self, uid: str, area: QRect, painted: QRect, target: ColourSpace) -> Work:
        """Pixels of ``area`` in ``target``; rows above and below ``painted`` stay transparent."""
        node = self._nodes[uid]
        spaces = ColourSpace.of(node), target
        read = layers.reader(node)
        return (yield from read_rows(self, read, area, painted, spaces, self._progress))


def add_colours(
    key: str, line_uid: str, colours: Pixels, on_paper: bool, space: ColourSpace
) -> Work:
    """Adds ``colours`` as a new layer for the line layer, in one undo step.

    ``space``: of the colours. ``on_paper``: the lines are drawn on opaque paper, so that colours
    under them would not show. Returns the new layer's identity. Raises as `add_layer`.
    """

    def place(document: Any) -> layers.Place:
        return layers.place_colours(_source(document, line_uid, "The line layer"), on_paper)

    return (yield from add_layer(key, colours, space, LAYER_NAME, place))


def add_above(key: str, uid: str, pixels: Pixels, space: ColourSpace, name: str) -> Work:
    """Adds ``pixels`` of ``space`` as a new layer directly above another, in one undo step.

    Returns the new layer's identity. Raises as `add_layer`.
    """

    def place(document: Any) -> layers.Place:
        node = _source(document, uid, "The layer")
        return layers.Place(node.parentNode(), node, "normal")

    return (yield from add_layer(key, pixels, space, name, place))


def add_layer(
    key: str,
    pixels: Pixels,
    space: ColourSpace,
    name: str,
    place_in: Callable[[Any], layers.Place],
) -> Work:
    """Adds ``pixels`` of the canvas as a new layer, in one undo step; the active layer stays.

    ``space``: of the pixels. ``place_in``: where it belongs in the document, asked again in the
    moment of adding. Returns the new layer's identity. Raises `NuriError`: not_found (document or
    layer gone), bad_input (canvas resized or converted meanwhile), busy.
    """
    document = yield from when_idle(key)
    own = ColourSpace.of(document)
    _check_unchanged(document, pixels, space, own)
    place = place_in(document)
    with HiddenCopy(document) as hidden:
        # Setting a blending mode makes an undo step, even on a layer outside the tree.
        is_normal = place.blending == "normal"
        owner = document if is_normal else hidden.document
        node = owner.createNode(name, "paintlayer")
        yield from write_rows(hidden, node, pixels, space, own)
        document = yield from when_idle(key)
        _check_unchanged(document, pixels, space, own)
        place = place_in(document)
        if place.blending != "normal":
            node.setBlendingMode(place.blending)
        node.setName(layers.free_name(document, name))
        if not is_normal:
            node = node.duplicate()
        yield from insert(key, document, node, place)
    return layers.uid_of(node)


def insert(key: str, document: Any, node: Any, place: layers.Place) -> Work:
    """Adds a finished layer that is in no document yet, one undo step; the active layer stays."""
    active = document.activeNode()
    place.parent.addChildNode(node, place.above)
    yield _ACTIVATION_MS
    document = find_document(key)
    if active is not None and document is not None:
        former = layers.find(document, layers.uid_of(active))
        if former is not None:
            document.setActiveNode(former)


def add_empty_layer(document: Any, name: str, above: Any) -> Any:
    """Adds an empty paint layer directly above ``above``; Krita makes it the active one."""
    node = document.createNode(name, "paintlayer")
    above.parentNode().addChildNode(node, above)
    return node


def remove_layer(key: str, uid: str, patience_ms: float = _STROKE_PATIENCE_MS) -> Work:
    """Removes a layer, one undo step; does nothing when it has gone already.

    ``patience_ms``: as for `when_idle`.
    """
    document = yield from when_idle(key, patience_ms)
    node = layers.find(document, uid)
    if node is not None:
        node.remove()


def _source(document: Any, uid: str, what: str) -> Any:
    node = layers.find(document, uid)
    if node is None:
        raise NuriError(ErrorCode.not_found, f"{what} has been deleted")
    return node


def _check_unchanged(document: Any, pixels: Pixels, space: ColourSpace, own: ColourSpace) -> None:
    if (document.width(), document.height()) != (pixels.width, pixels.height):
        raise NuriError(ErrorCode.bad_input, "The canvas has been resized meanwhile")
    if ColourSpace.of(document) != own or pixels.format != pixel_format(space):
        raise NuriError(ErrorCode.bad_input, "The image has been converted meanwhile")
