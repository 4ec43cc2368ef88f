"""The layers of a .kra or .ora file as both formats tell of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One layer. ``x``, ``y``: what to add to its pixels' places. ``opacity``: 0..1.

    ``kind``: "paint", "group", or the format's own word for a kind without pixels of its own.
    ``source``: where its pixels are. ``clipped``: it shows only on what lies below it in its group.
    ``space``: Krita's name of the colour space, ``keyframes``: where its key frames are listed, ""
    without an animation, ``passes``: a group whose layers lie on what is below the group; all three
    .kra only.
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
    keyframes: str = ""
    clipped: bool = False
    passes: bool = False

    @property
    def path(self) -> str:
        """The name with those of its groups before it, as "Group/Name"."""
        return f"{self.group.path}/{self.name}" if self.group else self.name

    def shown_in(self, group: Layer | None) -> bool:
        """True when the layer lies in ``group`` (None: anywhere), and neither it nor a group
        between them is hidden."""
        if not self.visible:
            return False
        return self.group is group or (self.group is not None and self.group.shown_in(group))

    def is_within(self, other: Layer) -> bool:
        """True for ``other`` itself and what lies in it."""
        return self is other or (self.group is not None and self.group.is_within(other))


@dataclass(frozen=True)
class Tree:
    """``layers``: every layer, top first, a group before what it holds. ``name``: the image's."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    name: str = ""

    @property
    def choices(self) -> tuple[Layer, ...]:
        """The layers that have pixels: paint layers, and groups by what they hold."""
        return tuple(layer for layer in self.layers if layer.kind in ("paint", "group"))

    def find(self, name: str) -> Layer | None:
        """The first paint layer, else the first group, of that name or path.

        Upper and lower case count only where both occur.
        """
        for fold in (str, str.casefold):
            for kind in ("paint", "group"):
                for layer in self.layers:
                    same = fold(name) in (fold(layer.name), fold(layer.path))
                    if layer.kind == kind and same:
                        return layer
        return None
