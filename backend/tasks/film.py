"""The video network on the frames of a shot: painted one by one, then made to agree in time.

Shi et al., TVCG 2023, section 3.3. The paper refines a whole shot at once, in windows. Here frames
come one by one and go out as soon as they are done, so that the window of a frame is what has been
painted before it, between the key frames that it follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.regions.describe import Box, to_square

from .painting import SIDE, Painter, line_and_color, to_picture
from .sources import View

WINDOW = 8  # frames that are refined together, key frames included, as in training


@dataclass(frozen=True)
class _Shown:
    """(SIDE, SIDE, 4) float32, line and colours in [0, 1], of the part ``box`` of a canvas."""

    picture: np.ndarray
    box: Box

    def within(self, box: Box) -> np.ndarray:
        """The same where another frame is looked at: the box follows the figure."""
        here, there = (np.vstack((to_square(one, SIDE), (0, 0, 1))) for one in (box, self.box))
        moved = (here @ np.linalg.inv(there))[:2]
        return cv2.warpAffine(self.picture, moved, (SIDE, SIDE), borderValue=(1, 1, 1, 1))


class Film:
    """What has been painted of a shot: as much as the next frame is refined with."""

    def __init__(self) -> None:
        self._frames: dict[float, _Shown] = {}

    def before(self, time: float, count: int) -> list[_Shown]:
        """The last ``count`` frames before ``time``, in their order."""
        return [self._frames[one] for one in sorted(self._frames) if one < time][-count:]

    def add(self, time: float, frame: _Shown) -> None:
        """Keep a frame, and with it those that were added last."""
        self._frames.pop(time, None)
        self._frames[time] = frame
        while len(self._frames) > WINDOW:
            del self._frames[next(iter(self._frames))]


@dataclass(frozen=True)
class FilmPainter(Painter):
    """Paints the frame at ``time`` of a ``film`` with the transform network, then refines it."""

    refiner: Any
    film: Film
    time: float

    def paint(self, target: View, sources: Sequence[View]) -> np.ndarray:
        """As `Painter.paint`; the first two sources stand at the ends of the window."""
        painted = _shown(target, super().paint(target, sources))
        first, *last = (_shown(source) for source in sources[:2])
        past = self.film.before(self.time, WINDOW - 2 - len(last))
        window = [one.within(target.box) for one in (first, *past, painted, *last)]
        self.film.add(self.time, painted)
        return _refined(self.refiner, window, 1 + len(past))


def _shown(view: View, color: np.ndarray | None = None) -> _Shown:
    """A view with what has been painted on it, (SIDE, SIDE, 3); a source shows its own colours."""
    line, own = line_and_color(view.picture)
    picture = np.dstack((line, own if color is None else color))
    return _Shown(picture.astype(np.float32), view.box)


def _refined(refiner: Any, window: Sequence[np.ndarray], at: int) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 RGB in [0, 1]: the frame ``at`` of a refined window."""
    import torch

    clip = torch.from_numpy(np.stack(window) * 2 - 1).permute(0, 3, 1, 2)[None]
    with torch.inference_mode():
        return to_picture(refiner(clip).main[:, at])
