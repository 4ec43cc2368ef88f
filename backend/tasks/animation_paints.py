"""The paints of key frames in the bits that the artist gave them.

The matcher sees 8-bit RGB; what goes back has the pixel format of the key frames, and transparent
stays transparent where the key frames leave their ground open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.imaging import planes
from backend.regions.palette import paint
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat

from .layer import LayerResult

_EIGHT_BIT = (PixelFormat.rgba8, PixelFormat.bgra8)
_WHITE = 250  # of 255: what is transparent counts as white for the matcher


@dataclass(frozen=True)
class Paints:
    """``format``: of the result. ``packed`` (N,) int64 sorted RGB and ``exact`` (N, C) the same
    colours in that format. ``is_open``: white is the open ground rather than a paint. ``soft``: the
    flats have shading, which no palette holds.
    """

    format: PixelFormat
    packed: np.ndarray
    exact: np.ndarray
    is_open: bool
    soft: bool = False

    def palette(self, result: LayerResult) -> np.ndarray:
        """(P, C) the palette of a result in ``format``."""
        palette = result.palette[:, :4]
        wanted = _pack(palette)
        if len(self.packed):
            at = np.clip(np.searchsorted(self.packed, wanted), 0, len(self.packed) - 1)
            # A colour that no key frame has is a mixture at an edge: the nearest one is meant.
            for missing in np.flatnonzero(self.packed[at] != wanted):
                at[missing] = _nearest(self.packed, palette[missing, :3])
            exact = self.exact[at].copy()
        else:
            exact = from_rgba(palette, self.format)
        if self.is_open:
            exact[(palette[:, :3] >= _WHITE).all(axis=1)] = 0
        return exact

    def flats(self, result: LayerResult) -> np.ndarray:
        """(H, W, C) the flats of a result in ``format``."""
        if self.soft:
            return from_rgba(self.rgba(result), self.format)
        palette = self.palette(result)
        return paint(result.regions, result.region_palette, palette, palette.shape[1])

    def rgba(self, result: LayerResult) -> np.ndarray:
        """(H, W, 4) uint8: the flats as RGBA."""
        if not self.is_open:
            return result.flats
        if self.soft:
            white = (result.palette[:, :3] >= _WHITE).all(axis=1)
            is_ground = np.append(white, False)[result.region_palette]
            return np.where(is_ground[result.regions][..., None], 0, result.flats).astype(np.uint8)
        palette = result.palette.copy()
        palette[(palette[:, :3] >= _WHITE).all(axis=1)] = 0
        return paint(result.regions, result.region_palette, palette, 4)


@dataclass(frozen=True)
class KeyPaint:
    """``colour``: a key frame, (H, W, 3 or 4) uint8 RGB(A). ``shown``: the same with its hints, if
    that is all it has, spread. ``exact``: ``colour`` in another format, or None.
    """

    colour: np.ndarray
    shown: np.ndarray
    exact: PixelBuffer | None


def read_paints(keys: list[KeyPaint], *, soft: bool = False) -> Paints:
    """Raises NuriError: bad_input when an exact picture reaches beyond its key frame, unsupported
    when ``soft`` colours are wanted in another format than 8-bit RGB.
    """
    shown, open_ground = 0, 0
    for key in (entry.shown for entry in keys):
        alpha = key[..., 3] if key.shape[2] == 4 else np.full(key.shape[:2], 255, np.uint8)
        open_ground += int((alpha == 0).sum())
        shown += int(((key[..., :3] >= _WHITE).all(axis=2) & (alpha > 127)).sum())
    is_open = open_ground > shown
    known = [(entry.colour, entry.exact) for entry in keys if entry.exact is not None]
    if not known:
        nothing = np.zeros(0, np.int64), np.zeros((0, 4), np.uint8)
        return Paints(PixelFormat.rgba8, *nothing, is_open, soft)
    if soft and known[0][1].format not in _EIGHT_BIT:
        raise NuriError(
            ErrorCode.unsupported,
            f"soft colours cannot have the format {known[0][1].format.value}",
            "Convert the document to 8-bit RGB, or leave the soft shading out",
        )
    packed, pixels = [], []
    for key, plane in known:
        whole = planes.on_canvas(plane, key.shape[1], key.shape[0])
        solid = np.ones(key.shape[:2], bool) if key.shape[2] == 3 else key[..., 3] == 255
        at = np.flatnonzero(solid)
        colours, first = np.unique(_pack(key.reshape(-1, key.shape[2])[at]), return_index=True)
        packed.append(colours)
        pixels.append(whole.reshape(-1, whole.shape[2])[at[first]])
    colours, first = np.unique(np.concatenate(packed), return_index=True)
    return Paints(known[0][1].format, colours, np.concatenate(pixels)[first], is_open, soft)


def from_rgba(pixels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """(..., 4) uint8 RGBA in the order of rgba8 or bgra8."""
    if pixel_format is PixelFormat.bgra8:
        return np.ascontiguousarray(pixels[..., [2, 1, 0, 3]])
    return pixels.copy()


def _pack(pixels: np.ndarray) -> np.ndarray:
    rgb = pixels[..., :3].astype(np.int64)
    return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]


def _nearest(packed: np.ndarray, rgb: np.ndarray) -> int:
    table = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1)
    return int(np.abs(table - rgb.astype(np.int64)).sum(axis=1).argmin())
