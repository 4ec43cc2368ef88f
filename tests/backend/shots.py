"""A small shot for the tests: two boxes side by side that move to the right, seven times over."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.imaging import io

WIDTH, HEIGHT, FRAMES = 96, 64, 6
RED, BLUE = (200, 30, 40), (10, 60, 220)


def line(index: int) -> np.ndarray:
    """(H, W) black lines on white."""
    pixels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    left = 8 + 4 * (index % 7)
    for x in (left, left + 28, left + 56):
        pixels[12:52, x : x + 2] = 0
    for y in (12, 50):
        pixels[y : y + 2, left : left + 58] = 0
    return pixels


def inside(index: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Places (row, column) in the left and the right box."""
    left = 8 + 4 * (index % 7)
    return (30, left + 14), (30, left + 42)


def coloured(index: int, ground: int = 255) -> np.ndarray:
    """(H, W, 4) RGBA: the boxes in red and blue; around them white of alpha ``ground``."""
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[..., 3] = ground
    if ground == 0:
        pixels[:] = 0
    left = 8 + 4 * (index % 7)
    pixels[12:52, left : left + 29] = (*RED, 255)
    pixels[12:52, left + 29 : left + 58] = (*BLUE, 255)
    return pixels


def finished(index: int) -> np.ndarray:
    """(H, W, 3) RGB: the boxes with their lines, on white."""
    pixels = coloured(index)[..., :3].copy()
    pixels[line(index) == 0] = 0
    return pixels


def save(
    folder: Path, frames: int = FRAMES, blank: tuple[int, ...] = ()
) -> tuple[Path, list[Path]]:
    """Frames as FOLDER/in/N.png and key frames for the first and the last as FOLDER/keys/N.png."""
    for name in ("in", "keys"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(frames):
        pixels = np.full((HEIGHT, WIDTH), 255, np.uint8) if index in blank else line(index)
        (folder / "in" / f"{index}.png").write_bytes(io.encode_png(pixels))
    keys = []
    for index in (0, frames - 1):
        keys.append(folder / "keys" / f"{index}.png")
        keys[-1].write_bytes(io.encode_png(finished(index)))
    return folder / "in", keys
