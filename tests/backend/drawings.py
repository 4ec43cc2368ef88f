"""A small drawing for the tests: two boxes side by side, each with one hint, and an empty third."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.imaging import io

WIDTH, HEIGHT = 120, 60
RED, BLUE = (200, 30, 40), (10, 60, 220)
# Places well inside the three boxes and outside of them, as row and column.
LEFT, MIDDLE, RIGHT, OUTSIDE = (30, 20), (30, 58), (30, 98), (3, 3)


def line() -> np.ndarray:
    """(H, W) black lines on white."""
    pixels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for x in (8, 38, 78, 112):
        pixels[10:50, x : x + 2] = 0
    pixels[10:12, 8:114] = 0
    pixels[48:50, 8:114] = 0
    return pixels


def hints() -> np.ndarray:
    """(H, W, 4): a red dot in the left box, a blue one in the middle box."""
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for (row, column), colour in ((LEFT, RED), (MIDDLE, BLUE)):
        pixels[row - 2 : row + 3, column - 2 : column + 3] = (*colour, 255)
    return pixels


def save(folder: Path, name: str = "page") -> tuple[Path, Path]:
    """The drawing and its hints as PNG files, named as `nuri batch` pairs them."""
    paths = folder / f"{name}.png", folder / f"{name}.hints.png"
    folder.mkdir(parents=True, exist_ok=True)
    paths[0].write_bytes(io.encode_png(line()))
    paths[1].write_bytes(io.encode_png(hints()))
    return paths


def is_coloured(picture: np.ndarray) -> bool:
    """True when both hinted boxes have exactly their colours."""
    found = [tuple(picture[place][:3].tolist()) for place in (LEFT, MIDDLE)]
    return found == [RED, BLUE]
