"""Bringing pictures to the size that a network trains at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from .picture import Picture

Interpolation = Literal["nearest", "bilinear", "bicubic", "area", "lanczos"]
Fit = Literal["stretch", "pad"]
_PIL = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
INTERPOLATIONS = (*_PIL, "area")


def resize(array: np.ndarray, height: int, width: int, kind: Interpolation) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) at another size; all kinds but nearest are anti-aliased.

    Raises ValueError for another kind.
    """
    if kind not in INTERPOLATIONS:
        raise ValueError(f"there is no interpolation {kind!r}; use {', '.join(INTERPOLATIONS)}")
    if array.shape[:2] == (height, width):
        return array
    if kind == "area":
        if height <= array.shape[0] and width <= array.shape[1]:
            return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA)
        kind = "bicubic"  # there is no area to average when a picture grows
    return np.asarray(Image.fromarray(array).resize((width, height), _PIL[kind]))


def resize_regions(regions: np.ndarray, height: int, width: int) -> np.ndarray:
    """Region numbers (H, W) int32 of the nearest pixel."""
    if regions.shape == (height, width):
        return regions
    rows = ((np.arange(height) + 0.5) * regions.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * regions.shape[1] / width).astype(np.intp)
    return np.ascontiguousarray(regions[rows[:, None], columns])


def resize_picture(picture: Picture, height: int, width: int, kind: Interpolation) -> Picture:
    """Every array of a picture at one size."""
    shrink: dict[str, Any] = {
        name: resize(array, height, width, kind)
        for name in ("color", "line", "monochrome")
        if (array := getattr(picture, name)) is not None
    }
    if picture.regions is not None:
        shrink["regions"] = resize_regions(picture.regions, height, width)
    if picture.saliency is not None:
        shrink["saliency"] = resize(picture.saliency, height, width, "nearest")
    return replace(picture, **shrink)


def pad_to_square(picture: Picture) -> Picture:
    """White paper round a drawing, which stays in the middle; a region of its own."""
    height, width = picture.shape
    if height == width:
        return picture
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    around = ((top, side - height - top), (left, side - width - left))
    changes: dict[str, Any] = {
        name: np.pad(array, (*around, (0, 0))[: array.ndim], constant_values=255)
        for name in ("color", "line", "monochrome")
        if (array := getattr(picture, name)) is not None
    }
    if picture.regions is not None:
        paper = int(picture.regions.max()) + 1
        changes["regions"] = np.pad(picture.regions, around, constant_values=paper)
    if picture.saliency is not None:
        changes["saliency"] = np.pad(picture.saliency, around)
    return replace(picture, **changes)


def to_square(picture: Picture, size: int, kind: Interpolation, fit: Fit) -> Picture:
    """A picture at size x size, stretched or padded first."""
    if fit == "pad":
        picture = pad_to_square(picture)
    return resize_picture(picture, size, size, kind)


def crop_picture(picture: Picture, top: int, left: int, height: int, width: int) -> Picture:
    """A part of every array."""
    window = (slice(top, top + height), slice(left, left + width))
    cut: dict[str, Any] = {
        name: np.ascontiguousarray(array[window])
        for name in ("color", "line", "monochrome", "regions", "saliency")
        if (array := getattr(picture, name)) is not None
    }
    return replace(picture, **cut, identity="")


def flip_picture(picture: Picture) -> Picture:
    """Mirrored left to right."""
    mirrored: dict[str, Any] = {
        name: np.ascontiguousarray(array[:, ::-1])
        for name in ("color", "line", "monochrome", "regions", "saliency")
        if (array := getattr(picture, name)) is not None
    }
    return replace(picture, **mirrored, identity="")
