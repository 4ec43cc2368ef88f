"""Where the line drawing of a colour picture comes from: its file, XDoG or a learned extractor."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from backend.imaging.color import luma
from backend.imaging.xdog import SHARPENED, TEXTBOOK, XDoG
from backend.models.architectures import load_model, name_of
from backend.models.folding import inference_form
from backend.weights import store
from protocol.errors import NuriError
from training.errors import TrainingError
from training.names import name_bytes

from .cache import ArrayCache, content_hash
from .picture import Picture
from .resize import resize

_log = logging.getLogger("nuri.training")
NAMES = ("file", "xdog", "xdog_release", "learned")
_RELEASE_SIGMAS = (0.3, 0.4, 0.5)
EXTRACTOR = "line_extractor"  # the network and the id of the weights that ship


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
class ReleaseLines:
    """XDoG as Cao et al. 2023 release it: one of three sigmas, by the picture's name."""

    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        sigma = _RELEASE_SIGMAS[zlib.crc32(name_bytes(picture.name)) % len(_RELEASE_SIGMAS)]
        return XDoGLines(SHARPENED.with_sigma(sigma))(picture)


@dataclass
class FileLines:
    """The drawing that came with the picture; ``fallback`` where there is none, recorded once.

    ``published`` names the extractor which the paper has there, for that record.
    """

    fallback: LineSource = field(default_factory=XDoGLines)
    published: str = ""
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        if picture.line is not None:
            return picture.line
        if not self.degraded:
            there = f", in the place of {self.published}" if self.published else ""
            self.degraded.append(f"lines=xdog: pictures without a line file{there}")
            _log.warning("%s has no line drawing; XDoG draws such pictures", picture.name)
        return self.fallback(picture)


@dataclass
class LearnedLines:
    """A trained line extractor: colour (B, 3, H, W) in [-1, 1] -> lines (B, 1, H, W) in [-1, 1].

    ``network`` may return the tensor or an output with ``.main``. It sees a copy whose longer side
    is at most ``side``, for strokes as thick as those it was taught. ``key`` tells weights apart (a
    hash of them); with it and a cache each picture is drawn once.
    """

    network: nn.Module | Callable[[Tensor], Tensor]
    key: str = ""
    cache: ArrayCache | None = None
    stride: int = 16
    side: int = 384
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        if self.cache is None or not (self.key and picture.identity):
            return self._draw(picture.paint)
        key = ("learned-lines", self.key, picture.identity, picture.shape, self.side)
        return self.cache.get(key, lambda: self._draw(picture.paint))

    def _draw(self, color: np.ndarray) -> np.ndarray:
        scale = min(1.0, self.side / max(color.shape[:2]))
        height, width = (max(1, round(side * scale)) for side in color.shape[:2])
        small = resize(color, height, width, "area")
        below, right = -height % self.stride, -width % self.stride
        padded = np.pad(small, ((0, below), (0, right), (0, 0)), mode="edge")
        image = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 127.5 - 1
        if isinstance(self.network, nn.Module):
            self.network.eval()
        with torch.inference_mode():
            output = self.network(image)
        drawing = getattr(output, "main", output)[0, 0, :height, :width]
        tones = ((drawing + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        return resize(tones, color.shape[0], color.shape[1], "bicubic")


def line_source(name: str, cache: ArrayCache | None = None, *, published: str = "") -> LineSource:
    """ "file", "xdog", "xdog_release", "learned" or a line extractor's weights (.safetensors).

    ``published`` is the extractor of the paper whose place XDoG takes. "learned" is the extractor
    that ships; XDoG draws where it is absent, which is recorded. Raises TrainingError for another
    name, and for weights that are damaged or of another network.
    """
    if name == "file":
        return FileLines(published=published)
    if name == "xdog":
        return XDoGLines()
    if name == "xdog_release":
        return ReleaseLines()
    try:
        if name == "learned":
            return _shipped_lines(cache)
        if name.endswith(".safetensors"):
            return _own_lines(Path(name), cache)
    except NuriError as error:
        raise TrainingError(error.info.message, error.info.action) from error
    except (OSError, ValueError) as error:
        action = "give data.lines the weights of a line extractor"
        raise TrainingError(f"{name} cannot draw lines: {error}", action) from error
    raise TrainingError(
        f"data.lines is {name!r}", f"use one of {', '.join(NAMES)} or a .safetensors file"
    )


def _shipped_lines(cache: ArrayCache | None) -> LineSource:
    if EXTRACTOR not in store.installed():
        _log.warning("there is no trained line extractor; XDoG draws the lines")
        return XDoGLines(degraded=["lines=xdog: no trained line extractor"])
    return LearnedLines(store.load(EXTRACTOR), store.entries()[EXTRACTOR].sha256, cache)


def _own_lines(path: Path, cache: ArrayCache | None) -> LineSource:
    network = load_model(path)
    if name_of(network) != EXTRACTOR:
        raise ValueError(f"it holds the network {name_of(network)!r}, not {EXTRACTOR!r}")
    return LearnedLines(inference_form(network), content_hash(path), cache)
