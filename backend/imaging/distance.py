"""Distance fields of drawings: how far each pixel lies from the nearest ink."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

INK = 0.9  # of paper white: what is at most this is ink (line strength of at least 0.1)
Norm = Literal["max", "fixed", "minmax"]
NORMS = ("max", "fixed", "minmax")


def euclidean(mask: np.ndarray) -> np.ndarray:
    """Exact distance in pixels, (H, W) float32, from each True pixel to the nearest False one.

    At False pixels it is 0. The mask (H, W) bool must hold a False pixel.
    """
    near = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # OpenCV's roots differ in the last bit from call to call; the squares are whole numbers
    return np.sqrt(np.rint(np.square(near, dtype=np.float64))).astype(np.float32)


def distance_field(
    ink: np.ndarray, *, signed: bool = False, norm: Norm = "max", limit: float = 64.0
) -> np.ndarray:
    """Distance field of ink (H, W) bool as (H, W) float32 in [0, 1].

    Unsigned is 0 on ink. norm "max" divides by the largest distance of the picture (Shi et al.
    2023, after SketchyGAN), "fixed" by ``limit`` pixels and clips, "minmax" maps smallest..largest
    to 0..1. Signed is negative inside ink (Golyadkin and Makarov 2020, with "minmax"; "fixed" maps
    -limit..limit to 0..1). Without ink the field is 1 throughout, with nothing but ink 0.
    Raises ValueError for another norm, and for "max" with signed.
    """
    if norm not in NORMS or (signed and norm == "max"):
        raise ValueError(f"norm {norm!r} does not go with signed={signed}; use minmax or fixed")
    if not ink.any():
        return np.ones(ink.shape, np.float32)
    if ink.all():
        return np.zeros(ink.shape, np.float32)
    field = euclidean(~ink)
    if signed:
        field = field - euclidean(ink)
    if norm == "fixed":
        low = -limit if signed else 0.0
        return np.clip((field - low) / (limit - low), 0, 1)
    low = float(field.min()) if norm == "minmax" else 0.0
    return (field - low) / (float(field.max()) - low)
