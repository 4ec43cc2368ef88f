"""Hints: sparse colours with alpha, kept as exact bit patterns in whatever format they come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

SOLID = 0.5  # share of full alpha from which a pixel is the hint itself and not its soft rim
RARE = 0.05  # a colour with a smaller share of its own blot is mixing at the rim


@dataclass(frozen=True)
class Hints:
    """What the artist has put down.

    ids: (H, W) int32, 0 = no hint, else 1 + index into ``colours``. colours: (N, C) in the dtype of
    the hint picture, alpha full. blots: (H, W) int32, connected marks of one colour, 0 = none.
    """

    ids: np.ndarray
    colours: np.ndarray
    blots: np.ndarray
    colour_of_blot: np.ndarray

    @property
    def empty(self) -> bool:
        return len(self.colours) == 0


def full_alpha(dtype: np.dtype) -> float:
    """The value of an opaque alpha channel."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def read_hints(picture: np.ndarray) -> Hints:
    """picture: (H, W, C), any dtype, alpha last; the colour channels are not interpreted."""
    alpha = picture[..., -1]
    opaque = full_alpha(picture.dtype)
    height, width = alpha.shape
    touched = alpha > 0
    ids = np.zeros((height, width), np.int32)
    if not touched.any():
        return Hints(
            ids, np.zeros((0, picture.shape[2]), picture.dtype), ids, np.zeros(1, np.int32)
        )
    solid = alpha >= opaque * SOLID
    count, soft = cv2.connectedComponents(touched.astype(np.uint8), connectivity=8)
    has_solid = np.zeros(count, bool)
    has_solid[np.unique(soft[solid])] = True
    if not has_solid[1:].all():
        # a mark that is faint throughout still counts, by its strongest pixels
        where = np.flatnonzero(touched)
        strongest = np.zeros(count, np.float64)
        np.maximum.at(strongest, soft.ravel()[where].astype(np.intp), alpha.ravel()[where])
        solid |= touched & ~has_solid[soft] & (alpha >= strongest[soft] * 0.8)
    where = np.flatnonzero(solid)
    mark = soft.ravel()[where].astype(np.intp)
    values = picture.reshape(-1, picture.shape[2])[where].copy()
    values[:, -1] = opaque
    _, first, kind = np.unique(_fingerprint(values), return_index=True, return_inverse=True)
    pairs, inverse, amount = np.unique(
        mark.astype(np.int64) * len(first) + kind.ravel(), return_inverse=True, return_counts=True
    )
    whole = np.bincount(mark, minlength=count)
    most = np.zeros(count, np.int64)
    np.maximum.at(most, pairs // len(first), amount)
    of = pairs // len(first)
    kept = (amount >= RARE * whole[of]) | (amount == most[of])
    keep = kept[inverse.ravel()]
    where, kind = where[keep], kind.ravel()[keep]
    used, compact = np.unique(kind, return_inverse=True)
    ids.ravel()[where] = compact.ravel() + 1
    blots, colour_of_blot = _blots(ids, soft)
    return Hints(ids, values[first[used]], blots, colour_of_blot)


def _fingerprint(values: np.ndarray) -> np.ndarray:
    """One uint64 a row that tells bit patterns apart."""
    data = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    size = data.shape[1]
    if size in (1, 2, 4, 8):
        return data.view(f"u{size}").ravel().astype(np.uint64)
    words = np.pad(data, ((0, 0), (0, -size % 4))).view(np.uint32).astype(np.uint64)
    mixed = np.zeros(len(values), np.uint64)
    for column in words.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _blots(ids: np.ndarray, mark: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Marks of one colour, told apart by ``mark``: (ids of blots, colour index + 1 by blot)."""
    where = np.flatnonzero(ids)
    colour = ids.ravel()[where]
    key = mark.ravel()[where].astype(np.int64) * (int(colour.max(initial=0)) + 1) + colour
    kinds, blot = np.unique(key, return_inverse=True)
    blots = np.zeros_like(ids)
    blots.ravel()[where] = blot.ravel() + 1
    colour_of_blot = np.zeros(len(kinds) + 1, np.int32)
    colour_of_blot[blot.ravel() + 1] = colour
    return blots, colour_of_blot


def eight_bit(colours: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 of colours in any type, as if they were RGB: hues need not be right here."""
    top = full_alpha(colours.dtype)
    channels = colours[:, [min(i, colours.shape[1] - 2) for i in range(3)]]
    unit = np.clip(np.nan_to_num(channels.astype(np.float32)) / top, 0, 1)
    return np.rint(unit * 255).astype(np.uint8)


def with_paints(given: Hints, palette: np.ndarray) -> Hints:
    """The hints with paints (P, 3) uint8 RGB after their colours, in the hints' type."""
    if not len(palette):
        return given
    top = full_alpha(given.colours.dtype)
    solid = np.column_stack([palette, np.full(len(palette), 255, np.uint8)]) / 255 * top
    if np.issubdtype(given.colours.dtype, np.integer):
        solid = np.rint(solid)
    colours = np.concatenate([given.colours, solid.astype(given.colours.dtype)])
    return replace(given, colours=colours)
