"""The layers of a .kra or .ora file as both formats tell of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One layer. ``x``, ``y``: what to add to its pixels' places. ``opacity``: 0..1.

    ``kind``: "paint", "group", or the format's own word for a kind without pixels of its own.
    ``source``: where its pixels are. ``space``: Krita's name of the colour space, .kra only.
    """

    name: str
    kind: str
    source: str
    x: int
    y: int
    opacity: float
    visible: bool
    blending: str
    space: str = ""
    group: Layer | None = None

    @property
    def path(self) -> str:
        """The name with those of its groups before it, as "Group/Name"."""
        return f"{self.group.path}/{self.name}" if self.group else self.name

    @property
    def shown(self) -> bool:
        """True when neither the layer nor one of its groups is hidden."""
        return self.visible and (self.group is None or self.group.shown)


@dataclass(frozen=True)
class Tree:
    """``layers``: every layer, top first, a group before what it holds. ``name``: the image's."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    name: str = ""

    @property
    def paint_layers(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.kind == "paint")

    def find(self, name: str) -> Layer | None:
        """The first paint layer of that name or path; upper and lower case count only where both
        occur."""
        for fold in (str, str.casefold):
            for layer in self.paint_layers:
                if fold(name) in (fold(layer.name), fold(layer.path)):
                    return layer
        return None
