"""The layer tree of a document: walking it, finding layers again, where a new one belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from protocol.errors import ErrorCode, NuriError

from .qt import sip

# Blending modes that leave the colours under white paper visible.
_SEE_THROUGH = ("multiply", "darken", "linear_burn", "burn")
# Kinds of layers that can hold a drawing; filters, fills and masks cannot.
DRAWABLE = ("paintlayer", "grouplayer", "vectorlayer", "filelayer", "clonelayer")


class Place(NamedTuple):
    """Where a new layer goes: directly above ``above`` in ``parent``, with a blending mode."""

    parent: Any
    above: Any
    blending: str


def uid_of(node: Any) -> str:
    return str(node.uniqueId().toString())


def children(node: Any) -> list[Any]:
    """Bottom to top. Krita gives these objects away and never frees them; Python takes over."""
    nodes: list[Any] = node.childNodes()
    for child in nodes:
        sip.transferback(child)
    return nodes


def walk(node: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """All nodes under ``node`` as the Layers docker lists them, top first, with their depth."""
    for child in reversed(children(node)):
        yield child, depth
        yield from walk(child, depth + 1)


def inside(node: Any) -> list[str]:
    """Identities of what is in a group; [] for other layers."""
    return [uid_of(child) for child, _ in walk(node)]


def find(document: Any, uid: str) -> Any | None:
    """The layer with this identity, or None when it is no longer there."""
    nodes = (node for node, _ in walk(document.rootNode()) if uid_of(node) == uid)
    return next(nodes, None)


def require(document: Any, uid: str) -> Any:
    """As `find`. Raises `NuriError` not_found when the layer has gone."""
    node = find(document, uid)
    if node is None:
        raise NuriError(
            ErrorCode.not_found, "The layer has been deleted", "choose another in the Nuri docker"
        )
    return node


def drawable(document: Any) -> list[tuple[Any, int]]:
    """The layers that can hold a drawing, top first, with their depth in the tree."""
    return [(node, depth) for node, depth in walk(document.rootNode()) if node.type() in DRAWABLE]


def reader(node: Any) -> Callable[[int, int, int, int], Any]:
    """How to read what ``node`` looks like: (x, y, width, height) -> raw bytes.

    A plain paint layer gives its own pixels, which are right even while it is hidden; groups,
    vectors and layers with masks give their rendered form.
    """
    read: Callable[[int, int, int, int], Any] = (
        node.pixelData if is_plain(node) else node.projectionPixelData
    )
    return read


def passes_through(node: Any) -> bool:
    """True for a group whose layers are drawn as if they were in no group; it has no picture."""
    return node.type() == "grouplayer" and bool(node.passThroughMode())


def pictures(node: Any) -> list[Any]:
    """The visible layers whose pictures together are what ``node`` looks like, top first."""
    if not passes_through(node):
        return [node]
    shown = [child for child in reversed(children(node)) if child.visible()]
    return [part for child in shown for part in pictures(child)]


def is_plain(node: Any) -> bool:
    """True for a paint layer without masks, whose own pixels are what it looks like."""
    return node.type() == "paintlayer" and not children(node)


def is_animated(node: Any) -> bool:
    """True for a layer with key frames, and for a group with such a layer in it."""
    return any(n.animated() for n in (node, *(child for child, _ in walk(node))))


def on_top(document: Any) -> Place:
    """Above everything else; Krita takes no layer below for that."""
    return Place(document.rootNode(), None, "normal")


def place_colours(line: Any, on_paper: bool) -> Place:
    """Where colours for ``line`` go so that one undo step adds them and the lines stay visible.

    Directly under the line layer; where nothing lies below it, under the group that holds it.
    Krita has no call that adds a layer under the lowest one, and moving the artist's layer would
    take more steps and change it: there, and above lines on opaque paper, the colours go directly
    above the lines and multiply. Paper that itself multiplies lets colours under it through.
    """
    node = line
    while not on_paper or line.blendingMode() in _SEE_THROUGH:
        parent = node.parentNode()
        if parent is None:
            break
        siblings = children(parent)
        index = [uid_of(sibling) for sibling in siblings].index(uid_of(node))
        if index > 0:
            return Place(parent, siblings[index - 1], "normal")
        node = parent
    return Place(line.parentNode(), line, "multiply")


def free_name(document: Any, name: str) -> str:
    """``name``, or ``name`` with the first free number behind it."""
    taken = {node.name() for node, _ in walk(document.rootNode())}
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
