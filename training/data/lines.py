"""Where the line drawing of a colour picture comes from: its file, XDoG or a learned extractor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from backend.imaging.color import luma
from backend.imaging.xdog import SHARPENED, TEXTBOOK, XDoG
from training.errors import TrainingError

from .cache import ArrayCache
from .picture import Picture

_log = logging.getLogger("nuri.training")
NAMES = ("file", "xdog", "learned")


class LineSource(Protocol):
    """Gives a picture its drawing. ``degraded`` says what stood in for something absent."""

    degraded: list[str]

    def __call__(self, picture: Picture) -> np.ndarray:
        """(H, W) uint8, 255 = paper."""
        ...


@dataclass
class XDoGLines:
    """Outlines by XDoG of the luma. Binary drawings come out soft by one pixel (``soften``)."""

    xdog: XDoG = TEXTBOOK
    soften: float = 0.5
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        from backend.imaging.xdog import gaussian

        drawing = gaussian(self.xdog(luma(picture.paint) / 255), self.soften)
        return np.rint(drawing * 255).astype(np.uint8)


@dataclass
class FileLines:
    """The drawing that came with the picture; ``fallback`` where there is none, recorded once."""

    fallback: LineSource = field(default_factory=XDoGLines)
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        if picture.line is not None:
            return picture.line
        if not self.degraded:
            self.degraded.append("lines=xdog: pictures without a line file")
            _log.warning("%s has no line drawing; XDoG draws such pictures", picture.name)
        return self.fallback(picture)


@dataclass
class LearnedLines:
    """A trained line extractor: colour (B, 3, H, W) in [-1, 1] -> lines (B, 1, H, W) in [-1, 1].

    ``network`` may return the tensor or an output with ``.main``. ``key`` tells weights apart (a
    hash of them); with it and a cache each picture is drawn once.
    """

    network: nn.Module | Callable[[Tensor], Tensor]
    key: str = ""
    cache: ArrayCache | None = None
    stride: int = 16
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        if self.cache is None or not (self.key and picture.identity):
            return self._draw(picture.paint)
        key = ("learned-lines", self.key, picture.identity, picture.shape)
        return self.cache.get(key, lambda: self._draw(picture.paint))

    def _draw(self, color: np.ndarray) -> np.ndarray:
        height, width = color.shape[:2]
        below, right = -height % self.stride, -width % self.stride
        padded = np.pad(color, ((0, below), (0, right), (0, 0)), mode="edge")
        image = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 127.5 - 1
        if isinstance(self.network, nn.Module):
            self.network.eval()
        with torch.inference_mode():
            output = self.network(image)
        drawing = getattr(output, "main", output)[0, 0, :height, :width]
        return ((drawing + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def line_source(
    name: str,
    network: nn.Module | Callable[[Tensor], Tensor] | None = None,
    key: str = "",
    cache: ArrayCache | None = None,
) -> LineSource:
    """ "file", "xdog" or "learned" (with its network; without one XDoG draws, recorded).

    Raises TrainingError for another name.
    """
    if name == "file":
        return FileLines()
    if name == "xdog":
        return XDoGLines()
    if name != "learned":
        raise TrainingError(f"data.lines is {name!r}", f"use one of {', '.join(NAMES)}")
    if network is not None:
        return LearnedLines(network, key, cache)
    _log.warning("there is no trained line extractor; XDoG draws the lines")
    return XDoGLines(degraded=["lines=xdog: no trained line extractor"])


RELEASE_LINES = XDoGLines(SHARPENED)  # the fallback that Cao et al. 2023 ship
