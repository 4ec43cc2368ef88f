"""A face in flat colours with its lines, at any size and place: what references are made of."""

from __future__ import annotations

import cv2
import numpy as np

SKIN, HAIR, SHIRT, EYE, WHITE = (
    (240, 200, 170),
    (120, 60, 30),
    (60, 120, 200),
    (40, 160, 90),
    (255, 255, 255),
)
_FINE = 16  # OpenCV draws in sixteenths of a pixel


def face(size: int = 512, *, shift: float = 0.0, smile: float = 0.0) -> tuple[np.ndarray, ...]:
    """(line (S, S), colour (S, S, 3), parts (S, S)): parts 0 = paper, 1.. in the order of NAMES.

    shift moves the whole to the right by that share of the side; smile turns the shoulders.
    """
    parts = np.zeros((size, size), np.uint8)
    line = np.full((size, size), 255, np.uint8)
    width = max(2, round(size / 110))

    def place(x: float, y: float) -> tuple[int, int]:
        return round((x + shift) * size * _FINE), round(y * size * _FINE)

    def blob(x: float, y: float, wide: float, tall: float, part: int) -> None:
        axes = round(wide * size * _FINE), round(tall * size * _FINE)
        cv2.ellipse(parts, place(x, y), axes, 0, 0, 360, part, -1, cv2.LINE_8, 4)
        cv2.ellipse(line, place(x, y), axes, 0, 0, 360, 255, -1, cv2.LINE_8, 4)
        cv2.ellipse(line, place(x, y), axes, 0, 0, 360, 0, width, cv2.LINE_AA, 4)

    blob(0.45, 0.92 + smile, 0.3, 0.22, 3)
    blob(0.45, 0.38, 0.27, 0.3, 2)
    blob(0.45, 0.46, 0.19, 0.24, 1)
    for x in (0.37, 0.53):
        blob(x, 0.42, 0.035, 0.045, 4)
    palette = np.array([WHITE, SKIN, HAIR, SHIRT, EYE], np.uint8)
    color = (palette[parts] * (line[..., None] / 255.0)).astype(np.uint8)
    return line, color, parts


def share_right(flats: np.ndarray, color: np.ndarray, line: np.ndarray) -> float:
    """Share of the pixels off the lines that have exactly the true colour; none counts as white."""
    shown = np.where(flats[..., 3:] > 0, flats[..., :3], 255)
    off = cv2.erode(line, np.ones((5, 5), np.uint8)) == 255
    return float((shown[off] == color[off]).all(axis=1).mean())
