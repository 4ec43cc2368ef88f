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
NAMES = ("file", "file+learned", "xdog", "xdog_release", "learned")
_RELEASE_SIGMAS = (0.3, 0.4, 0.5)
EXTRACTOR = "line_extractor"  # the network and the id of the weights that ship
_NO_EXTRACTOR = "lines=xdog_release: no trained line extractor"


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
    """The drawing that came with the picture; ``fallback`` draws where there is none.

    ``stand_in`` records that, once; "" where the fallback is what is wanted there.
    """

    fallback: LineSource = field(default_factory=XDoGLines)
    stand_in: str = "lines=xdog: pictures without a line file"
    degraded: list[str] = field(default_factory=list)

    def __call__(self, picture: Picture) -> np.ndarray:
        if picture.line is not None:
            return picture.line
        if self.stand_in and not self.degraded:
            self.degraded.append(self.stand_in)
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
    """One of `NAMES`, or a line extractor's weights (.safetensors).

    "file" takes the drawing of each picture and XDoG's where it has none, in the place of
    ``published``, the extractor of the paper; "file+learned" the learned one there. "learned" is
    the extractor that ships, or "xdog_release" where it is absent, which is recorded. Raises
    TrainingError for another name, and for weights that are damaged or of another network.
    """
    if name == "file":
        there = f", in the place of {published}" if published else ""
        return FileLines(stand_in=f"{FileLines.stand_in}{there}")
    if name == "xdog":
        return XDoGLines()
    if name == "xdog_release":
        return ReleaseLines()
    try:
        if name == "learned":
            return _learned_lines(cache)
        if name == "file+learned":
            return _file_or_learned_lines(cache)
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


def _learned_lines(cache: ArrayCache | None) -> LineSource:
    if shipped := _shipped_lines(cache):
        return shipped
    _log.warning("there is no trained line extractor; XDoG draws the lines")
    return ReleaseLines(degraded=[_NO_EXTRACTOR])


def _file_or_learned_lines(cache: ArrayCache | None) -> LineSource:
    if shipped := _shipped_lines(cache):
        return FileLines(shipped, stand_in="")
    return FileLines(ReleaseLines(), f"{_NO_EXTRACTOR}, for pictures without a line file")


def _shipped_lines(cache: ArrayCache | None) -> LearnedLines | None:
    if EXTRACTOR not in store.installed():
        return None
    return LearnedLines(store.load(EXTRACTOR), store.entries()[EXTRACTOR].sha256, cache)


def _own_lines(path: Path, cache: ArrayCache | None) -> LineSource:
    network = load_model(path)
    if name_of(network) != EXTRACTOR:
        raise ValueError(f"it holds the network {name_of(network)!r}, not {EXTRACTOR!r}")
    return LearnedLines(inference_form(network), content_hash(path), cache)
