"""The colour layers that Nuri added in this session, and which of them a new one takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocol.pixels import PixelBuffer, Plane

from . import layers, made
from .document import key_of


@dataclass(frozen=True)
class AddedLayer:
    """A colour layer: its identity, that of its line layer, and what it is.

    ``part``: `part_of` what was sent, "" where the whole canvas was coloured.
    """

    layer: str
    line: str
    is_animation: bool = False
    part: str = ""


class Results:
    """What was added to which document, newest last; it stays known while it is undone."""

    def __init__(self) -> None:
        self._added: dict[str, list[AddedLayer]] = {}

    def add(self, document: str, added: AddedLayer) -> None:
        """``document``: of `key_of`."""
        self._added.setdefault(document, []).append(added)

    def layers(self, document: str) -> list[str]:
        """Identities of the layers that were added to a document of `key_of`, newest last."""
        return [added.layer for added in self._added.get(document, [])]

    def by_document(self) -> dict[str, list[str]]:
        """As `layers`, of all documents."""
        return {document: self.layers(document) for document in self._added}

    def earlier(self, document: Any, line: str, is_animation: bool) -> list[AddedLayer]:
        """Those of the same lines and kind that are in ``document`` now, newest first."""
        known = reversed(self._added.get(key_of(document), []))
        alike = [a for a in known if (a.line, a.is_animation) == (line, is_animation)]
        there = {layers.uid_of(node) for node, _ in layers.walk(document.rootNode())}
        return [added for added in alike if added.layer in there]


def outdated(earlier: Sequence[AddedLayer], part: str) -> list[str]:
    """Layers of ``earlier``, newest first, that have no colours which a new one of ``part`` lacks.

    The whole canvas takes over the parts that were coloured since it was coloured last, too.
    """
    if part:
        return [added.layer for added in earlier[:1] if added.part == part]
    found = []
    for added in earlier:
        found.append(added.layer)
        if not added.part:
            break
    return found


def part_of(planes: Sequence[Plane]) -> str:
    """A short name of the selection in what is sent to the backend, lines first; "" for none, or
    where everything is selected.
    """
    for plane in planes:
        if isinstance(plane, PixelBuffer) and plane.name == "mask":
            data, whole = bytes(plane.data), planes[0].width * planes[0].height
            if data.count(255) == whole:
                return ""
            return made.digest(f"{plane.x} {plane.y} {plane.width} {plane.height}", data)
    return ""
