"""Lightness of pictures, and colours of a given lightness, exact to the rounding of the pixels.

Compiled with Numba, because both touch every pixel of the full size. CIE L* (D65), of sRGB values.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .color import RGB_TO_XYZ, WHITE
from .compiled import compiled

_Y = RGB_TO_XYZ[1]
_FROM_XYZ = np.linalg.inv(RGB_TO_XYZ)
_HALVINGS = 12  # of the chroma's share; the last step is far below a step of 16 bits
_TOLERANCE = 1e-7  # of linear light out of the gamut
_QUARTER = 0.25  # of a step of grey: a lightness nearer than this rounds back to the same grey


@cache
def linear_table(top: int) -> np.ndarray:
    """(top + 1,) float64 linear light of the sRGB values 0..top (255 or 65535)."""
    value = np.arange(top + 1) / top
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)


def lightness(pixels: np.ndarray) -> np.ndarray:
    """L* (H, W) float32 in 0..100 of (H, W) grey or (H, W, 3 or 4) RGB(A), uint8 or uint16."""
    table = linear_table(int(np.iinfo(pixels.dtype).max))
    if pixels.ndim == 2:
        return _lightness_of(table).astype(np.float32)[pixels]
    return _lightness_of_rgb(pixels, table)


def with_lightness(light: np.ndarray, chroma: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """RGB (H, W, 3) of ``dtype`` (uint8 or uint16) with the given L* and a, b.

    light: (H, W) float32 0..100. chroma: (H, W, 2) float32. A colour that sRGB does not have gets
    less chroma, never another L*; 8-bit values are rounded so that L* rounds to the same grey.
    """
    top = int(np.iinfo(dtype).max)
    result = np.empty((*light.shape, 3), dtype)
    _colours(light, chroma, linear_table(top), top, result)
    return result


def _lightness_of(luminance: np.ndarray) -> np.ndarray:
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 116 * 7.787 * luminance)


@compiled
def _lightness_of_rgb(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    result = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            luminance = (
                _Y[0] * table[pixels[y, x, 0]]
                + _Y[1] * table[pixels[y, x, 1]]
                + _Y[2] * table[pixels[y, x, 2]]
            )
            if luminance > 0.008856:
                result[y, x] = 116 * np.cbrt(luminance) - 16
            else:
                result[y, x] = 116 * 7.787 * luminance
    return result


@compiled
def _cubed(root: float) -> float:
    return root**3 if root > 0.2068966 else (root - 16 / 116) / 7.787


@compiled
def _linear(light: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear sRGB of Lab, not clipped."""
    middle = (light + 16) / 116
    x = WHITE[0] * _cubed(middle + a / 500)
    y = _cubed(middle)
    z = WHITE[2] * _cubed(middle - b / 200)
    red = _FROM_XYZ[0, 0] * x + _FROM_XYZ[0, 1] * y + _FROM_XYZ[0, 2] * z
    green = _FROM_XYZ[1, 0] * x + _FROM_XYZ[1, 1] * y + _FROM_XYZ[1, 2] * z
    blue = _FROM_XYZ[2, 0] * x + _FROM_XYZ[2, 1] * y + _FROM_XYZ[2, 2] * z
    return red, green, blue


@compiled
def _fits(colour: tuple[float, float, float]) -> bool:
    least = min(colour[0], colour[1], colour[2])
    most = max(colour[0], colour[1], colour[2])
    return least >= -_TOLERANCE and most <= 1 + _TOLERANCE


@compiled
def _fitting(light: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear sRGB of the lightness with the largest share of the chroma that the gamut has."""
    colour = _linear(light, a, b)
    if _fits(colour):
        return colour
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        if _fits(_linear(light, share * a, share * b)):
            low = share
        else:
            high = share
    return _linear(light, low * a, low * b)


@compiled
def _stored(linear: float, top: int) -> int:
    """The sRGB value 0..top nearest to linear light."""
    linear = min(max(linear, 0.0), 1.0)
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return int(value * top + 0.5)


@compiled
def _colours(
    light: np.ndarray, chroma: np.ndarray, table: np.ndarray, top: int, result: np.ndarray
) -> None:
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            wanted = light[row, column]
            colour = _fitting(wanted, chroma[row, column, 0], chroma[row, column, 1])
            red, green, blue = (
                _stored(colour[0], top),
                _stored(colour[1], top),
                _stored(colour[2], top),
            )
            if top < 256:
                red, blue = _balanced(_cubed((wanted + 16) / 116), red, green, blue, table, top)
            result[row, column, 0] = red
            result[row, column, 1] = green
            result[row, column, 2] = blue


@compiled
def _balanced(
    luminance: float, red: int, green: int, blue: int, table: np.ndarray, top: int
) -> tuple[int, int]:
    """Red and blue, a step up or down where that mends what rounding did to the luminance."""
    rest = luminance - _Y[1] * table[green]
    grey = _stored(luminance, top)
    step = table[min(grey + 1, top)] - table[min(grey, top - 1)]
    least = abs(rest - _Y[0] * table[red] - _Y[2] * table[blue])
    if least <= _QUARTER * step:
        return red, blue
    best_red, best_blue = red, blue
    for r in range(max(red - 1, 0), min(red + 1, top) + 1):
        for b in range(max(blue - 1, 0), min(blue + 1, top) + 1):
            error = abs(rest - _Y[0] * table[r] - _Y[2] * table[b])
            if error < least:
                least, best_red, best_blue = error, r, b
    return best_red, best_blue
