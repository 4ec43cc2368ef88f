"""Where one drawing as a whole lies in another: its scale and place, mirrored or turned.

Figures stand elsewhere and in another size in another scene, and in a shot they fall and tumble.
What `register` lays on each other line by line finds only what is near already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from scipy import fft

BLURS = (1 / 96, 1 / 24)  # of the square's side: lines are compared finely and coarsely
COARSE, FINE = 96, 192  # pixels of the square that is searched in, first and then
SCALES = np.geomspace(0.55, 1.8, 17)
NEARBY = np.geomspace(0.96, 1.04, 7)  # ... around the best of those
TURNS = np.arange(-165, 181, 15)  # degrees
NEAR_TURNS, NEAREST_TURNS = (-10, -5, 0, 5, 10), (-2, 0, 2)  # ... around the best of those


@dataclass(frozen=True)
class Placement:
    """The part of another drawing's square that answers to this one's, in sides of that square.

    left, top: of its corner. side: its length. mirrored: the other drawing is, before that, and
    then turned about its middle by ``turn`` degrees, counterclockwise.
    """

    left: float
    top: float
    side: float
    mirrored: bool
    turn: float = 0.0


def likeness(ink: np.ndarray, other: np.ndarray) -> float:
    """How well the lines of two drawings (S, S) lie on each other, finely and coarsely: -2..2."""
    total = 0.0
    for one, two in zip(_seen(ink, len(ink)), _seen(other, len(other)), strict=True):
        power = float(np.sqrt((one * one).sum() * (two * two).sum()))
        total += float((one * two).sum()) / power if power > 0 else 0.0
    return total


def align(ink: np.ndarray, other: np.ndarray) -> Placement:
    """The placement of the likest lines, of ``other`` or its mirror image, on ``ink``.

    Both (S, S) float32 in [0, 1], 1 = ink. Lines of ``other`` that come to lie outside count, too:
    what shows a part of it alone is less like it.
    """
    rough = _search(ink, other, COARSE, SCALES, (False, True))
    return _search(ink, other, FINE, NEARBY / rough.side, (rough.mirrored,))


def turn(ink: np.ndarray, other: np.ndarray, scale: float) -> Placement:
    """The placement of the likest lines of ``other``, turned, on ``ink``.

    Both square, float32 in [0, 1], 1 = ink. scale: the side of ``other`` in sides of ``ink``, for
    figures keep their size within a shot.
    """
    rough = _search(ink, other, COARSE, (scale,), turns=TURNS)
    close = _search(ink, other, COARSE, (scale,), turns=np.add(NEAR_TURNS, rough.turn))
    return _search(ink, other, FINE, (scale,), turns=np.add(NEAREST_TURNS, close.turn))


def _search(
    ink: np.ndarray,
    other: np.ndarray,
    side: int,
    scales: Sequence[float] | np.ndarray,
    mirrored: tuple[bool, ...] = (False,),
    turns: Sequence[float] | np.ndarray = (0.0,),
) -> Placement:
    """The best of some ``scales`` of ``other``, seen in a square of ``side`` pixels."""
    room = fft.next_fast_len(side + int(np.ceil(side * max(scales))), real=True)
    shape = (room, room)
    ours = [np.conj(_spectrum(one, shape)) for one in _seen(_shrunk(ink, side), side)]
    best, found = -np.inf, Placement(0, 0, 1, False)
    for scale, flipped, angle in product(scales, mirrored, turns):
        size = round(side * scale)
        shown = _turned(_shrunk(other[:, ::-1] if flipped else other, size), float(angle))
        theirs = [_spectrum(one, shape) for one in _seen(shown, side)]
        near = fft.irfft2(sum(a * b for a, b in zip(ours, theirs, strict=True)), shape)
        at = int(near.argmax())
        if near.ravel()[at] > best:
            best = float(near.ravel()[at])
            down, right = (step - room if step >= size else step for step in divmod(at, room))
            found = Placement(right / size, down / size, side / size, flipped, float(angle))
    return found


def _turned(ink: np.ndarray, angle: float) -> np.ndarray:
    middle = (len(ink) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, 1.0)
    return cv2.warpAffine(ink, matrix, ink.shape) if angle else ink


def _shrunk(ink: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(np.ascontiguousarray(ink), (size, size), interpolation=cv2.INTER_AREA)


def _seen(ink: np.ndarray, side: int) -> list[np.ndarray]:
    """The lines blurred finely and coarsely, less their mean. side: of the square, in pixels."""
    blurred = (cv2.GaussianBlur(ink, (0, 0), share * side) for share in BLURS)
    return [one - one.mean() for one in blurred]


def _spectrum(seen: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Of what is seen, scaled to the power 1."""
    power = float(np.sqrt((seen * seen).sum()))
    return np.asarray(fft.rfft2(seen / max(power, 1e-9), shape))
