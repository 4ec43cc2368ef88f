"""Task animation: which coloured drawings each frame of a shot follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.lines import darkness
from backend.models.registry import MATCHER, TEMPORAL
from backend.weights import store
from protocol.errors import ErrorCode, NuriError

from .canvas import Canvas, read_canvas
from .film import Film, FilmPainter
from .flats import colour_flats
from .layer import LayerResult, colour_layer
from .laying import RIM
from .matcher import colour_from_sources
from .neighbours import Neighbour, as_neighbour, follow_neighbour
from .sources import Source, upright, view_of

BLACK = 100  # of 255: a line in a finished frame is darker
LINE = 200  # of 255: ink this strong is the line itself and not its soft rim
SAMPLED = 1024  # pixels a side: more say no more
BESIDE = 0.01  # of the longest side: how far from a line's middle the paints beside it are
PAINTED = 0.4  # share of the regions that a key frame colours; below it there are only hints


@dataclass(frozen=True)
class ColouredFrame:
    """A frame whose colours are known. ``time``: its place in the shot, in any unit.

    ``filled``: what became of the frame where only hints of its colours were given.
    """

    time: float
    source: Source
    filled: LayerResult | None = None


class Shot:
    """The key frames of a shot, one or more; its frames may come in any order.

    ``lines``: whether finished frames of it show their lines. ``model``: the network that compares
    regions, the matcher or a style. ``soft``: with the shading of the key frames.
    """

    def __init__(
        self,
        keys: Iterable[ColouredFrame],
        *,
        lines: bool = True,
        model: str = MATCHER,
        soft: bool = False,
    ) -> None:
        self.lines, self.model, self.soft = lines, model, soft
        self._keys = sorted(keys, key=lambda key: key.time)
        self._before: Neighbour | None = None
        self._film = Film()

    def colour(
        self,
        line: np.ndarray,
        time: float,
        *,
        progress: Callable[[float, str], None] = lambda fraction, stage: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> LayerResult:
        """The colours of the frame ``line``, (H, W) or (H, W, 1..4), at ``time``.

        Raises NuriError: bad_input (blank line art), cancelled.
        """
        followed = self.neighbours(time)
        filled = followed[0].filled if followed[0].time == time else None
        if filled is not None and filled.regions.shape == line.shape[:2]:
            return filled
        canvas = read_canvas(line)
        result = colour_layer(
            canvas,
            lambda: self._network(time),
            sources=[frame.source for frame in self.follow(time, canvas)],
            soft=self.soft,
            progress=progress,
            cancelled=cancelled,
        )
        if not self.soft:  # no palette holds what is shaded
            before = self._before
            if before is not None and abs(before.time - time) < abs(followed[0].time - time):
                result = follow_neighbour(canvas, result, before)
            self._before = as_neighbour(time, canvas, result)
        return result

    def _network(self, time: float) -> Any:
        """What colours the frame at ``time``: as trained, or a painter with its temporal part."""
        network = store.load(self.model)
        if self.model not in TEMPORAL or TEMPORAL[self.model] not in store.installed():
            return network
        return FilmPainter(network, store.load(TEMPORAL[self.model]), self._film, time)

    def is_painted(self, time: float) -> bool:
        """True when a key frame at this time was given with all its colours."""
        return any(key.time == time and key.filled is None for key in self._keys)

    def follow(self, time: float, canvas: Canvas) -> list[ColouredFrame]:
        """The `neighbours` of a frame, then the key frame whose lines are most like its own, where
        that is another: poses come back.
        """
        near = self.neighbours(time)
        if near[0].time == time or len(near) == len(self._keys):
            return near
        view = view_of(canvas, canvas.chambers.label)
        ink = view.picture[0]
        alike = max(self._keys, key=lambda key: upright(ink, key.source)[1])
        return near if alike in near else [*near, alike]

    def neighbours(self, time: float) -> list[ColouredFrame]:
        """The key frames on both sides of ``time``, the nearest first.

        A key frame at that very time is followed alone. The frame coloured last would be nearer,
        but hands on its mistakes: with it fewer regions were right.
        """
        before = [key for key in self._keys if key.time <= time][-1:]
        after = [key for key in self._keys if key.time > time][:1]
        if before and before[0].time == time:
            return before
        return sorted(before + after, key=lambda key: abs(key.time - time))


def shows_lines(colour: np.ndarray, line: np.ndarray) -> bool:
    """Whether a finished frame has its lines drawn over its colours.

    colour: (H, W, 3 or 4) uint8 RGB(A). line: its line art. Where the frame is transparent or has
    no lines at all, they are meant to go over it.
    """
    if colour.shape[2] == 4 and not (colour[..., 3] == 255).all():
        return True
    step = max(1, max(line.shape[:2]) // SAMPLED)
    line, colour = line[::step, ::step], colour[::step, ::step]
    ink = darkness(line)
    at = ink >= LINE
    if not at.any():
        return True
    bright = colour[..., :3].max(axis=2)
    reach = 2 * round(BESIDE * max(ink.shape)) + 1
    square = np.ones((reach, reach), np.uint8)
    beside = cv2.erode(np.where(ink >= RIM, 255, bright).astype(np.uint8), square)
    told = at & (beside >= BLACK)  # between dark paints a line is as dark without being shown
    at = told if told.any() else at
    return bool((bright[at] < BLACK).mean() > 0.5)


def fill_hints(
    colour: np.ndarray,
    line: np.ndarray,
    *,
    model: str = MATCHER,
    cancelled: Callable[[], bool] = lambda: False,
) -> LayerResult | None:
    """The colours of a key frame that has mere hints of them; None where it is painted.

    colour: (H, W, 4) uint8 RGBA. line: its line art. Raises NuriError cancelled, model_missing.
    """
    painted = colour[..., 3] > 0
    if painted.all() or not painted.any():
        return None
    try:
        reached = colour_flats(line, colour, cancelled=cancelled).flats[..., 3] > 0
    except NuriError as error:
        if error.code is not ErrorCode.bad_input:
            raise
        return None  # without lines there is nothing to fill
    if (painted & reached).sum() >= PAINTED * reached.sum():
        return None
    return colour_from_sources(line, [], hints=colour, model=model, cancelled=cancelled)
