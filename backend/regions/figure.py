"""A figure and the ground around it, region by region, and what lines close as one area."""

from __future__ import annotations

import numpy as np

from backend.regions.areas import border_contact
from backend.regions.describe import closed_areas, find_ground

LEAST_BORDER = 0.02  # share of the canvas border from which a part of the ground lies at it


def open_ground(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By region id of (h, w) int32: (n,) bool, part of the ground around a figure, and (n,) int,
    the area closed by lines that it lies in.
    """
    closed = closed_areas(label)
    area_of = np.zeros(int(label.max()) + 1, np.int64)
    area_of[label.ravel()] = closed.ravel()
    return find_ground(closed)[area_of], area_of


def off_ground(colour: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """colour (n,) by region id without those of the ground, (m <= n,) bool as of `open_ground`.

    Later regions are pieces of the figure, also where it is open to the ground.
    """
    figure = colour.copy()
    figure[: len(ground)][ground] = 0
    return figure


def at_border(label: np.ndarray) -> np.ndarray:
    """(n,) bool by region id of (h, w) int32: lies along the canvas border."""
    contact = border_contact(label, int(label.max()) + 1)
    return contact >= LEAST_BORDER * 2 * sum(label.shape)


def agreed(
    score: np.ndarray, closed: np.ndarray, share: np.ndarray, ground: np.ndarray
) -> np.ndarray:
    """(N, P) scores where the parts of one closed area decide together, by their size.

    A narrow place inside a figure is no border. In the open ground it may be the only one that
    keeps a figure with a large opening apart.
    """
    group = deciding_together(closed, ground)
    weight = np.maximum(share, 1e-9)[:, None]
    total = np.zeros((len(score), score.shape[1]))
    whole = np.zeros((len(score), 1))
    np.add.at(total, group, score * weight)
    np.add.at(whole, group, weight)
    return (total / np.maximum(whole, 1e-9))[group]


def deciding_together(closed: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """(N,) int from 0: the same for parts of one ``closed`` area (N,), if it is not ``ground``."""
    alone = -1 - np.arange(len(closed))
    return np.asarray(np.unique(np.where(ground, alone, closed), return_inverse=True)[1])
