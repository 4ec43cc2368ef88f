"""The paints of key frames in the bits that the artist gave them.

The matcher sees 8-bit RGB; what goes back has the pixel format of the key frames, and transparent
stays transparent where the key frames leave their ground open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.imaging import planes
from backend.imaging.ground import laid_on_white
from backend.imaging.hints import full_alpha
from backend.regions.palette import paint
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat

from .layer import LayerResult

_EIGHT_BIT = (PixelFormat.rgba8, PixelFormat.bgra8)
_WHITE = 250  # of 255: what is transparent counts as white for the matcher
_NEAR = 6  # of 255: a colour of a key frame that differs no more in any channel is meant


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
        exact, limit = planes.from_rgba(palette, self.format), _NEAR
        if exact is None:  # only the key frames tell what a colour is in this format
            exact = np.zeros((len(palette), self.format.channels), planes.dtype_of(self.format))
            limit = 255
        if len(self.packed):
            wanted = _pack(palette)
            at = np.clip(np.searchsorted(self.packed, wanted), 0, len(self.packed) - 1)
            known = self.packed[at] == wanted
            # what no key frame in this format has is a mixture at an edge, or from another one
            for missing in np.flatnonzero(~known):
                at[missing], apart = _nearest(self.packed, palette[missing, :3])
                known[missing] = apart <= limit
            exact[known] = self.exact[at[known]]
        if self.is_open:
            exact[(palette[:, :3] >= _WHITE).all(axis=1)] = 0
        return exact

    def flats(self, result: LayerResult) -> np.ndarray:
        """(H, W, C) the flats of a result in ``format``."""
        if self.soft:
            soft = planes.from_rgba(self.rgba(result), self.format)
            assert soft is not None  # `read_paints` refuses formats without RGB
            return soft
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

    def colours(self, plane: PixelBuffer) -> list[tuple[np.ndarray, np.ndarray]]:
        """(N,) int64 RGB as the matcher sees it, and (N, C) the same colours in ``plane``: of what
        is painted opaquely, and of what is partly transparent. Raises NuriError bad_input.
        """
        height, width, channels = self.colour.shape
        exact = planes.on_canvas(plane, width, height).reshape(height * width, -1)
        alpha = np.full(height * width, 255, np.uint8)
        if channels == 4:
            alpha = self.colour[..., 3].ravel()
        is_hinted = self.shown is not self.colour  # and then hints have become opaque paint
        seen = _pack(self.colour if is_hinted else laid_on_white(self.colour)).ravel()
        found = []
        for where in (alpha == 255, (alpha > 0) & (alpha < 255)):
            at = np.flatnonzero(where)
            packed, first = np.unique(seen[at], return_index=True)
            values = exact[at[first]]
            if is_hinted and plane.format.has_alpha:
                values[:, -1] = full_alpha(values.dtype)
            found.append((packed, values))
        return found


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
    known = [(entry, entry.exact) for entry in keys if entry.exact is not None]
    if not known:
        nothing = np.zeros(0, np.int64), np.zeros((0, 4), np.uint8)
        return Paints(PixelFormat.rgba8, *nothing, is_open, soft)
    pixel_format = known[0][1].format
    if soft and pixel_format not in _EIGHT_BIT:
        raise NuriError(
            ErrorCode.unsupported,
            f"soft colours cannot have the format {pixel_format.value}",
            "Convert the document to 8-bit RGB, or leave the soft shading out",
        )
    of_keys = [entry.colours(plane) for entry, plane in known if plane.format is pixel_format]
    parts = [part for kind in zip(*of_keys, strict=True) for part in kind]  # what is opaque first
    packed, first = np.unique(np.concatenate([part[0] for part in parts]), return_index=True)
    exact = np.concatenate([part[1] for part in parts])[first]
    return Paints(pixel_format, packed, exact, is_open, soft)


def _pack(pixels: np.ndarray) -> np.ndarray:
    rgb = pixels[..., :3].astype(np.int64)
    return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]


def _nearest(packed: np.ndarray, rgb: np.ndarray) -> tuple[int, int]:
    """The index of the nearest colour, and how far it is in the channel that is furthest."""
    table = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1)
    apart = np.abs(table - rgb.astype(np.int64))
    at = int(apart.sum(axis=1).argmin())
    return at, int(apart[at].max())
