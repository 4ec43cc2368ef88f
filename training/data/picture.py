"""What a source of drawings, photographs or frames hands to a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np


class BadPicture(Exception):
    """A picture that cannot serve; the message is one line and names the file and the reason."""


@dataclass(frozen=True)
class Picture:
    """Arrays of one height and width, all uint8 but ``regions``; what a source lacks is None.

    color: (H, W, 3) sRGB. line: (H, W) drawing, 255 = paper. regions: (H, W) int32, 0 = ink, 1..n
    areas that lines enclose. saliency: (H, W), 255 = foreground. monochrome: (H, W) black-and-white
    edition of a page. identity: tells content apart, for caches; "" = not to be cached.
    """

    name: str
    color: np.ndarray | None = None
    line: np.ndarray | None = None
    regions: np.ndarray | None = None
    saliency: np.ndarray | None = None
    monochrome: np.ndarray | None = None
    identity: str = ""

    def freeze(self) -> None:
        """Forbid writing into the arrays, which several samples will share."""
        for array in (self.color, self.line, self.regions, self.saliency, self.monochrome):
            if array is not None:
                array.flags.writeable = False

    @property
    def paint(self) -> np.ndarray:
        """The colours. Raises BadPicture when there are none."""
        if self.color is None:
            raise BadPicture(f"{self.name} has no colour picture")
        return self.color

    @property
    def drawing(self) -> np.ndarray:
        """The line drawing. Raises BadPicture when there is none."""
        if self.line is None:
            raise BadPicture(f"{self.name} has no line drawing")
        return self.line

    @property
    def areas(self) -> np.ndarray:
        """The region map. Raises BadPicture when there is none."""
        if self.regions is None:
            raise BadPicture(f"{self.name} has no region map")
        return self.regions

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        for array in (self.color, self.monochrome, self.line):
            if array is not None:
                return int(array.shape[0]), int(array.shape[1])
        raise BadPicture(f"{self.name} holds no picture")


class PictureSource(Protocol):
    """Pictures by number. ``load`` raises BadPicture for one that cannot be read."""

    name: str
    has_regions: bool

    def __len__(self) -> int: ...

    def label(self, index: int) -> str:
        """Name of a picture, without reading it."""
        ...

    def load(self, index: int) -> Picture: ...

    def files(self, index: int) -> list[Path]:
        """The files behind a picture; none for generated ones."""
        ...


class ShotSource(Protocol):
    """Shots, each a sequence of frames of one size. ``load`` raises BadPicture."""

    name: str
    has_regions: bool

    @property
    def left_out(self) -> Sequence[str]:
        """The frames that cannot be read and belong to no shot, one line each."""
        ...

    def __len__(self) -> int: ...

    def label(self, index: int) -> str:
        """Name of a shot."""
        ...

    def length(self, index: int) -> int:
        """Number of its frames."""
        ...

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]: ...

    def files(self, index: int) -> list[Path]:
        """The files behind a shot; none for generated ones."""
        ...
