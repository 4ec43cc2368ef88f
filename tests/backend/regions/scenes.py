"""Drawings for the tests of the flats: a house of four rooms, in shares of the side of the page.

Every place and width is a share of the side, so that one scene can be drawn at any size.
"""

from __future__ import annotations

import cv2
import numpy as np

Place = tuple[float, float]  # x, y

LEFT, RIGHT = 0.1, 0.9  # walls of the house, also its top and bottom
MIDDLE = 0.5
INK_WIDTH = 0.008
RED, GREEN, BLUE, OCHRE = (
    (200, 30, 41, 255),
    (17, 160, 61, 255),
    (12, 60, 221, 255),
    (201, 151, 3, 255),
)
COLOURS = {"nw": RED, "ne": GREEN, "sw": BLUE, "se": OCHRE}
CENTRES = {"nw": (0.3, 0.3), "ne": (0.7, 0.3), "sw": (0.3, 0.7), "se": (0.7, 0.7)}
OUTSIDE = (0.04, 0.04)


def pixel(place: Place, size: int) -> tuple[int, int]:
    """Row and column of a place."""
    return round(place[1] * size), round(place[0] * size)


def ink(page: np.ndarray, *places: Place, width: float = INK_WIDTH, value: int = 0) -> None:
    """An anti-aliased stroke on an (H, W) page."""
    size = max(page.shape)
    points = np.rint(np.array(places) * size * 16).astype(np.int32)
    cv2.polylines(page, [points], False, value, max(1, round(width * size)), cv2.LINE_AA, 4)


def house(size: int = 256, *, gap: float = 0.0, width: float = INK_WIDTH) -> np.ndarray:
    """(size, size) uint8, black on white: four rooms, a gap in the wall between the upper two."""
    page = np.full((size, size), 255, np.uint8)
    corners = [(LEFT, LEFT), (RIGHT, LEFT), (RIGHT, RIGHT), (LEFT, RIGHT), (LEFT, LEFT)]
    ink(page, *corners, width=width)
    ink(page, (LEFT, MIDDLE), (RIGHT, MIDDLE), width=width)
    if gap:
        # the ends of a stroke are round, so it reaches half its width farther than its places
        half = (gap + width) / 2
        ink(page, (MIDDLE, LEFT), (MIDDLE, 0.3 - half), width=width)
        ink(page, (MIDDLE, 0.3 + half), (MIDDLE, RIGHT), width=width)
    else:
        ink(page, (MIDDLE, LEFT), (MIDDLE, RIGHT), width=width)
    return page


def room(name: str, size: int, *, inset: float = INK_WIDTH) -> tuple[slice, slice]:
    """Rows and columns of the inside of a room."""
    low, high = (LEFT + inset, MIDDLE - inset), (MIDDLE + inset, RIGHT - inset)
    rows, columns = (high if name[0] == "s" else low), (high if name[1] == "e" else low)
    return tuple(slice(round(a * size), round(b * size)) for a, b in (rows, columns))


def no_hints(size: int = 256) -> np.ndarray:
    return np.zeros((size, size, 4), np.uint8)


def dot(hints: np.ndarray, place: Place, colour: tuple[int, ...], radius: float = 0.015) -> None:
    """A hard-edged dot on (H, W, C) hints of any dtype."""
    stroke(hints, place, place, colour, 2 * radius)


def stroke(
    hints: np.ndarray, start: Place, end: Place, colour: tuple[int, ...], width: float = 0.03
) -> None:
    """A hard-edged stroke on (H, W, C) hints of any dtype."""
    size = max(hints.shape[:2])
    where = np.zeros(hints.shape[:2], np.uint8)
    ends = [(round(x * size), round(y * size)) for x, y in (start, end)]
    cv2.line(where, *ends, 1, max(1, round(width * size)))
    hints[where > 0] = colour


def dots(size: int = 256, rooms: str = "nw ne sw se") -> np.ndarray:
    """A dot of its colour in the middle of every named room."""
    hints = no_hints(size)
    for name in rooms.split():
        dot(hints, CENTRES[name], COLOURS[name])
    return hints


def share(flats: np.ndarray, name: str, colour: tuple[int, ...]) -> float:
    """Share of a room that has exactly this colour."""
    inside = flats[room(name, flats.shape[0])]
    return float((inside == np.array(colour, flats.dtype)).all(axis=-1).mean())


def at(picture: np.ndarray, place: Place) -> tuple[int, ...]:
    return tuple(np.atleast_1d(picture[pixel(place, picture.shape[0])]).tolist())


def is_empty(flats: np.ndarray, name: str) -> bool:
    return not flats[room(name, flats.shape[0])][..., -1].any()
