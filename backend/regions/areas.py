"""Chambers joined to the areas in which hints meet: necks and closures keep only the open out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.regions.refine import spread_under_ink
from backend.regions.segment import Chambers

BACKGROUND = 0.1  # share of the canvas border that the background touches at least


@dataclass(frozen=True)
class Areas:
    """chambers: as joined. outside: (H, W) bool, where the ground may leak in from the canvas
    border. crossings: (H, W) bool, closures that paths may cross at a cost. closed: (H, W) int32,
    the areas that lines and the other closures close.
    """

    chambers: Chambers
    outside: np.ndarray
    crossings: np.ndarray
    closed: np.ndarray


def join_chambers(chambers: Chambers) -> Areas:
    """Join the chambers inside closed lines.

    Where the ground may leak in, a neck tells the figure from the ground; inside closed lines it
    tells nothing that the hints do not tell better.
    """
    label = chambers.label.copy()
    crossings = chambers.walls & ~chambers.firm & ~_outer(label > 0, chambers.walls)
    label[crossings] = spread_under_ink(label)[crossings]
    count, closed = cv2.connectedComponents((label > 0).astype(np.uint8), connectivity=4)
    contact = border_contact(closed, count)
    ground = int(np.argmax(contact))
    is_open = contact[ground] >= BACKGROUND * 2 * sum(label.shape)
    outside = (closed == ground) if is_open else np.zeros(label.shape, bool)
    names = len(chambers.area)
    joined = np.where(outside | (label == 0), label, names + closed).astype(np.int32)
    renamed = _rename(chambers, joined)
    touching = border_contact(renamed.label, len(renamed.area)) > 0
    return Areas(renamed, outside & touching[renamed.label], crossings, closed)


def border_contact(label: np.ndarray, count: int) -> np.ndarray:
    """(count,) pixels of the canvas border that every label touches; 0 for label 0."""
    border = np.concatenate([label[0], label[-1], label[1:-1, 0], label[1:-1, -1]])
    contact = np.bincount(border, minlength=count)
    contact[0] = 0
    return contact


def _outer(free: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """(H, W) bool: the area with most of the canvas border, if closures were no walls."""
    count, area = cv2.connectedComponents((free | walls).astype(np.uint8), connectivity=4)
    contact = border_contact(area, count)
    return (area == np.argmax(contact)) & (area > 0)


def _rename(chambers: Chambers, joined: np.ndarray) -> Chambers:
    """The chambers under new labels, numbered from 1 without holes."""
    used = np.bincount(joined.ravel()) > 0
    used[0] = True
    label = (np.cumsum(used, dtype=np.int32) - 1)[joined]
    count = int(used.sum())
    new_name = np.zeros(len(chambers.area), np.int64)
    new_name[chambers.label.ravel()] = label.ravel()
    new_name[0] = 0
    area = np.bincount(label.ravel(), minlength=count)
    area[0] = 0
    peak = np.zeros(count, np.float32)
    np.maximum.at(peak, new_name[1:], chambers.peak[1:])
    necks, links = chambers.necks.copy(), new_name[chambers.links]
    necks[:, :2] = new_name[necks[:, :2].astype(np.int64)]
    return replace(
        chambers,
        label=label,
        area=area,
        peak=peak,
        necks=necks[necks[:, 0] != necks[:, 1]],
        links=links[links[:, 0] != links[:, 1]],
    )
