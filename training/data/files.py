"""Picture files to arrays; whatever is wrong with one becomes a BadPicture that names it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from backend.imaging import disk, io, planes
from backend.imaging.ground import laid_on_white
from protocol.errors import NuriError

from .picture import BadPicture


def read_pixels(path: Path) -> tuple[np.ndarray, str]:
    """(H, W) or (H, W, C) pixels as stored and the hash of the file's content."""
    try:
        data = disk.read_file(path)
        pixels = io.read_image(data, str(path))
    except NuriError as error:
        raise BadPicture(error.info.message) from error
    return pixels, hashlib.blake2b(data, digest_size=16).hexdigest()


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Any 8 or 16 bit picture as (H, W, 3) uint8, on white where it is transparent."""
    pixels = planes.eight_bit(pixels)
    if pixels.ndim == 3 and pixels.shape[2] < 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., [0, 0, 0, 1]]
    return np.ascontiguousarray(laid_on_white(pixels))


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Any picture as (H, W) uint8, by the Rec. 601 weights that drawings are stored with."""
    rgb = to_rgb(pixels)
    if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all():
        return np.ascontiguousarray(rgb[..., 0])
    return np.rint(rgb @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)


def to_regions(pixels: np.ndarray, path: Path) -> np.ndarray:
    """A region map as (H, W) int32. Raises BadPicture for colours."""
    if pixels.ndim == 3:
        if (pixels != pixels[..., :1]).any():
            raise BadPicture(f"{path} is no region map: it has colours instead of numbers")
        pixels = pixels[..., 0]
    return pixels.astype(np.int32)


def pictures_in(folder: Path) -> list[Path]:
    """Readable picture files directly in a folder, in natural order; [] when it is missing."""
    if not folder.is_dir():
        return []
    return sorted(
        (path for path in folder.iterdir() if path.is_file() and _is_picture(path)),
        key=natural_order,
    )


def pictures_below(folder: Path) -> list[Path]:
    """Readable picture files in a folder and below it, in natural order."""
    found = (path for path in folder.rglob("*") if path.is_file() and _is_picture(path))
    return sorted(found, key=natural_order)


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which frame 2 precedes frame 10."""
    return [
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in re.split(r"(\d+)", str(path))
        if part
    ]


def _is_picture(path: Path) -> bool:
    return io.looks_readable(path) and not path.name.startswith(".")
