"""The only file that adds layers to the artist's documents, and removes Nuri's own.

Fills a new layer a few rows per turn of the event loop while it is in no document yet, and adds it:
one undo step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import layers
from .pixels.colourspace import ColourSpace, pixel_format
from .pixels.hidden import HiddenCopy
from .pixels.rows import Pixels, write_rows
from .steps import Work

LAYER_NAME = "Colours"
_STROKE_POLL_MS = 200
_STROKE_PATIENCE_MS = 60_000
FOR_EVER = math.inf
# Krita activates an added layer in a later turn of the event loop.
_ACTIVATION_MS = 100

Added = Callable[[str], None]  # hears the identity of a layer in the moment when it is added


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


def add_colours(
    key: str, line_uid: str, colours: Pixels, on_paper: bool, space: ColourSpace, added: Added
) -> Work:
    """Adds ``colours`` as a new layer for the line layer, in one undo step.

    ``space``: of the colours. ``on_paper``: the lines are drawn on opaque paper, so that colours
    under them would not show. Returns the new layer's identity. Raises as `add_layer`.
    """

    def place(document: Any) -> layers.Place:
        return layers.place_colours(_source(document, line_uid, "The line layer"), on_paper)

    return (yield from add_layer(key, colours, space, LAYER_NAME, place, added))


def add_above(
    key: str, uid: str, pixels: Pixels, space: ColourSpace, name: str, added: Added
) -> Work:
    """Adds ``pixels`` of ``space`` as a new layer directly above another, in one undo step.

    Returns the new layer's identity. Raises as `add_layer`.
    """

    def place(document: Any) -> layers.Place:
        node = _source(document, uid, "The layer")
        return layers.Place(node.parentNode(), node, "normal")

    return (yield from add_layer(key, pixels, space, name, place, added))


def add_layer(
    key: str,
    pixels: Pixels,
    space: ColourSpace,
    name: str,
    place_in: Callable[[Any], layers.Place],
    added: Added,
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
            hidden.settle()
        node.setName(layers.free_name(document, name))
        if not is_normal:
            node = node.duplicate()
        yield from insert(key, document, node, place, added)
    return layers.uid_of(node)


def insert(key: str, document: Any, node: Any, place: layers.Place, added: Added) -> Work:
    """Adds a finished layer that is in no document yet, one undo step; the active layer stays."""
    active = document.activeNode()
    # Before, as Krita turns its event loop while it adds a layer.
    added(layers.uid_of(node))
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
