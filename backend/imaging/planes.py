"""Pixel buffers of the protocol as arrays, and back, bit for bit."""

from __future__ import annotations

import numpy as np

from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat, Plane

from .color import luma

# How the colour channels of a format stand to grey or RGB, by the letters of its name.
_GREY = ("gray", "index")
_ORDER = {"rgb": (0, 1, 2), "bgr": (2, 1, 0)}


def dtype_of(pixel_format: PixelFormat) -> np.dtype:
    """The little-endian NumPy type of one channel."""
    letter = "f" if pixel_format.kind == "float" else "u"
    return np.dtype(f"<{letter}{pixel_format.bytes_per_channel}")


def to_array(buffer: PixelBuffer) -> np.ndarray:
    """A read-only view of (H, W, channels), channels as they are stored."""
    shape = (buffer.height, buffer.width, buffer.format.channels)
    return np.frombuffer(buffer.data, dtype_of(buffer.format)).reshape(shape)


def to_plane(
    name: str, pixels: np.ndarray, pixel_format: PixelFormat, x: int = 0, y: int = 0
) -> PixelBuffer:
    """(H, W) or (H, W, channels) of the format's own type as a buffer, without a copy if it can."""
    pixels = np.ascontiguousarray(pixels, dtype_of(pixel_format))
    height, width = pixels.shape[:2]
    return PixelBuffer(name, width, height, pixel_format, pixels.reshape(-1).data, x, y)


def on_canvas(buffer: PixelBuffer, width: int, height: int) -> np.ndarray:
    """(height, width, channels): the buffer at its place, zero around it. A view where it fits.

    Raises bad_input when it reaches beyond the canvas.
    """
    pixels = to_array(buffer)
    if (buffer.x, buffer.y, buffer.width, buffer.height) == (0, 0, width, height):
        return pixels
    right, bottom = buffer.x + buffer.width, buffer.y + buffer.height
    if buffer.x < 0 or buffer.y < 0 or right > width or bottom > height:
        raise NuriError(
            ErrorCode.bad_input,
            f"{buffer.name} covers {buffer.width} x {buffer.height} pixels at {buffer.x}, "
            f"{buffer.y}, beyond the {width} x {height} pixels of the line art",
            "Use layers of one document, or crop to the canvas",
        )
    canvas = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    canvas[buffer.y : bottom, buffer.x : right] = pixels
    return canvas


def to_rgb(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray | None:
    """(H, W) grey or (H, W, 3 or 4) RGB(A) of grey, RGB and BGR formats; None for other spaces."""
    space = _space(pixel_format)
    if space in _GREY:
        if not pixel_format.has_alpha:
            return pixels[..., 0]
        return pixels[..., (0, 0, 0, 1)]
    if space not in _ORDER:
        return None
    order = _ORDER[space]
    if order == (0, 1, 2):
        return pixels
    return np.ascontiguousarray(pixels[..., (*order, 3) if pixel_format.has_alpha else order])


def from_rgba(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray | None:
    """(..., 4) uint8 RGBA as (..., channels) of a grey, RGB or BGR format; None for others."""
    space = _space(pixel_format)
    if space == "gray":
        colour = np.rint(luma(pixels[..., :3]))[..., None].astype(np.uint8)
    elif space in _ORDER:
        colour = pixels[..., _ORDER[space]]
    else:
        return None
    if pixel_format.has_alpha:
        colour = np.concatenate([colour, pixels[..., 3:]], axis=-1)
    dtype = dtype_of(pixel_format)
    if dtype.kind == "f":
        return (colour / np.float32(255)).astype(dtype)
    return colour.astype(dtype) * dtype.type(np.iinfo(dtype).max // 255)


def rgb_plane(name: str, pixels: np.ndarray, like: Plane) -> PixelBuffer:
    """(H, W, 3 or 4) RGB(A), uint8 or uint16, in blue-first order where ``like`` has it."""
    bits = 8 * pixels.dtype.itemsize
    if pixels.shape[2] == 3:
        return to_plane(name, pixels, PixelFormat(f"rgb{bits}"))
    if isinstance(like, PixelBuffer) and _space(like.format) == "bgr":
        return to_plane(name, pixels[..., (2, 1, 0, 3)], PixelFormat(f"bgra{bits}"))
    return to_plane(name, pixels, PixelFormat(f"rgba{bits}"))


def to_line(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """Line art of any format as (H, W) grey or (H, W, 3 or 4) RGB(A), uint8 or uint16.

    Spaces other than grey and RGB give their lightness as grey with alpha: dark stays dark.
    """
    rgb = to_rgb(pixels, pixel_format)
    if rgb is None:
        rgb = _lightness(pixels, pixel_format)
    if rgb.dtype.kind == "f":
        finite = np.nan_to_num(rgb.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        return np.round(np.clip(finite, 0.0, 1.0) * 65535).astype(np.uint16)
    return rgb


def _lightness(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    space = _space(pixel_format)
    if space == "cmyk":
        # Krita stores float CMYK in 0..100.
        full = 100.0 if pixels.dtype.kind == "f" else top
        ink = np.clip(pixels[..., :4].astype(np.float32) / full, 0.0, 1.0)
        light = (1 - ink[..., :3].mean(axis=2)) * (1 - ink[..., 3])
    elif space == "lab":
        full = 100.0 if pixels.dtype.kind == "f" else top
        light = pixels[..., 0].astype(np.float32) / full
    else:  # XYZ: Y is the middle one; YCbCr: the first
        channel = 1 if space == "xyz" else 0
        light = pixels[..., channel].astype(np.float32) / top
    grey = np.clip(light, 0.0, 1.0)[..., None]
    alpha = pixels[..., -1:].astype(np.float32) / top
    scaled: np.ndarray = np.round(np.concatenate([grey, grey, grey, alpha], axis=2) * 65535)
    return scaled.astype(np.uint16)


def _space(pixel_format: PixelFormat) -> str:
    letters = pixel_format.value.rstrip("0123456789")
    if pixel_format.kind == "float":
        letters = letters.removesuffix("f")
    return letters.removesuffix("a") if pixel_format.has_alpha else letters


def eight_bit(pixels: np.ndarray) -> np.ndarray:
    """uint8 of uint8 or uint16 in any shape, each value to its nearest."""
    if pixels.dtype == np.uint8:
        return pixels
    # v / 257, rounded, for every v of 16 bits; without floats, which would be twice as large
    return ((pixels.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def eight_bit_rgb(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3 or 4) uint8 of grey, RGB or RGBA, 8 or 16 bit."""
    pixels = eight_bit(pixels)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    if channels in (1, 2):
        pixels = pixels[..., [0, 0, 0, 1][: 2 + channels]]
    return np.ascontiguousarray(pixels)
