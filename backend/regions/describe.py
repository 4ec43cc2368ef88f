"""A drawing as the region matcher sees it: a square picture of fixed size and its regions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.regions.areas import border_contact

SIDE = 192  # pixels of the square picture
MOST_REGIONS = 160  # the largest; the others follow their neighbours
MARGIN = 0.04  # around the figure, as a share of its longer side
GROUND = 0.25  # share of the canvas border that the ground touches at least
PARTED = 0.1  # ... and what a figure parts from it
FACTS = 12


@dataclass(frozen=True)
class Box:
    """The part of a canvas that is looked at, in pixels; ``side`` is its longer side.

    ``turn``: by how many degrees it is seen turned about its middle, counterclockwise.
    """

    left: float
    top: float
    side: float
    turn: float = 0.0


@dataclass(frozen=True)
class Described:
    """Regions of one picture, as many as ``number`` has.

    label: (SIDE, SIDE) int32, 0 = none, else 1 + place in the list. number: (N,) ids of the
    regions in the map that was described. facts: (N, FACTS) float32. point: (N, 2) float32 x, y of
    the most interior pixel in [-1, 1]. share: (N,) float32 of the square's area.
    """

    label: np.ndarray
    number: np.ndarray
    facts: np.ndarray
    point: np.ndarray
    share: np.ndarray


def find_ground(label: np.ndarray) -> np.ndarray:
    """(n,) bool by area of (H, W) int32: the ground around the figure.

    That is the area with most of the canvas border, and what a figure from border to border parts
    from it: at its foot a figure may be cut, so that a corner above tells. Without such an area
    there is no ground.
    """
    contact = border_contact(label, int(label.max()) + 1)
    around = 2 * sum(label.shape)
    ground = np.zeros(len(contact), bool)
    if contact.max() >= GROUND * around:
        corners = label[0, [0, -1]]
        ground[corners] = contact[corners] >= PARTED * around
        ground[contact.argmax()] = True
    return ground


def figure_box(label: np.ndarray) -> Box:
    """The box around everything but the ground of (H, W) int32 areas; the canvas without one."""
    height, width = label.shape
    ground = find_ground(label)
    rows = cols = np.zeros(0, np.int64)
    if ground.any():
        figure = ~ground[label]
        rows, cols = np.flatnonzero(figure.any(1)), np.flatnonzero(figure.any(0))
    if not len(rows):
        rows, cols = np.array([0, height - 1]), np.array([0, width - 1])
    tall, wide = rows[-1] - rows[0] + 1, cols[-1] - cols[0] + 1
    side = max(tall, wide) * (1 + 2 * MARGIN)
    return Box((cols[0] + cols[-1] + 1 - side) / 2, (rows[0] + rows[-1] + 1 - side) / 2, side)


def closed_areas(chambers: np.ndarray) -> np.ndarray:
    """(H, W) int32: chambers that touch as one area, 0 on lines."""
    return cv2.connectedComponents((chambers > 0).astype(np.uint8), connectivity=4)[1]


def to_square(box: Box, side: int) -> np.ndarray:
    """(2, 3) float64: from places of pixels on the canvas to those in ``box`` at side x side."""
    scale = side / box.side
    upright = np.array(
        [
            [scale, 0, (0.5 - box.left) * scale - 0.5],
            [0, scale, (0.5 - box.top) * scale - 0.5],
        ]
    )
    if not box.turn:
        return upright
    middle = (side - 1) / 2
    turned = cv2.getRotationMatrix2D((middle, middle), box.turn, 1.0)
    return np.asarray(turned @ np.vstack((upright, (0, 0, 1))))


def crop(picture: np.ndarray, box: Box, side: int, outside: int, *, exact: bool) -> np.ndarray:
    """``box`` of a picture (H, W[, C]) at side x side pixels; ``exact`` keeps values (for ids)."""
    scale = side / box.side
    flags = cv2.INTER_NEAREST if exact else cv2.INTER_LINEAR
    if not exact and scale < 1:
        # bilinear sampling of a much larger picture would step over thin lines
        blur = 0.45 / scale
        picture = cv2.GaussianBlur(picture, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    return cv2.warpAffine(
        picture,
        to_square(box, side),
        (side, side),
        flags=flags,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside,) * 4,
    )


def describe(label: np.ndarray, most: int = MOST_REGIONS) -> Described:
    """Regions of a square map (S, S) int32 of ids, 0 = none; the ``most`` largest of them."""
    side = label.shape[0]
    area = np.bincount(label.ravel())
    area[0] = 0
    number = np.flatnonzero(area)
    if len(number) > most:
        number = np.sort(number[np.argsort(-area[number], kind="stable")[:most]])
    place = np.zeros(len(area), np.int32)
    place[number] = np.arange(1, len(number) + 1)
    own = place[label]
    at = np.flatnonzero(own)
    index = own.ravel()[at] - 1
    depth = depth_within(own).ravel()[at]
    order = np.lexsort((depth, index))
    last = np.flatnonzero(np.append(np.diff(index[order]) > 0, True)) if len(at) else at
    deepest = order[last]
    facts = _facts(own, at, index, depth[deepest])
    x, y = at[deepest] % side, at[deepest] // side
    point = (2 * np.column_stack([x, y]).astype(np.float32) + 1) / side - 1
    share = np.bincount(index, minlength=len(number)) / side**2
    return Described(own, number, facts, point, share.astype(np.float32))


def _facts(own: np.ndarray, at: np.ndarray, index: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(N, FACTS) float32: size, place and shape of regions, scaled to about -1..1 for networks.

    own: (S, S) int32, 0 = none, else 1 + region. at: where there is one, as indices of pixels, and
    index, which. depth: (N,) of the most interior pixels.
    """
    side, count = own.shape[0], len(depth)
    ys, xs = (at // side + 0.5) / side, (at % side + 0.5) / side
    total = np.bincount(index, minlength=count).astype(np.float64)
    mean_x, mean_y = (np.bincount(index, v, count) / np.maximum(1, total) for v in (xs, ys))
    dx, dy = xs - mean_x[index], ys - mean_y[index]
    var_x, var_y, cov = (
        np.bincount(index, v, count) / np.maximum(1, total) for v in (dx * dx, dy * dy, dx * dy)
    )
    low, high = np.full((2, count), 1.0), np.zeros((2, count))
    for axis, values in enumerate((xs, ys)):
        np.minimum.at(low[axis], index, values)
        np.maximum.at(high[axis], index, values)
    width, height = high - low + 1 / side
    border = border_contact(own, count + 1)[1:] / (4 * side)
    share = total / side**2
    facts = np.column_stack(
        [
            np.log(np.maximum(share, 1e-6)) / 5 + 1,
            2 * mean_x - 1,
            2 * mean_y - 1,
            width,
            height,
            total / np.maximum(1, width * height * side**2),
            4 * np.sqrt(var_x),
            4 * np.sqrt(var_y),
            cov / np.sqrt(np.maximum(1e-9, var_x * var_y)),
            8 * depth / side,
            np.minimum(1, 4 * border),
            border >= GROUND,
        ]
    )
    return facts.astype(np.float32).reshape(-1, FACTS)


def depth_within(label: np.ndarray) -> np.ndarray:
    """(H, W) float32 distance to the nearest pixel of another region or none, in pixels."""
    border = label == 0
    across, down = label[:, 1:] != label[:, :-1], label[1:] != label[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    inner = np.pad(~border, 1).astype(np.uint8)  # the picture's edge is a border too
    return cv2.distanceTransform(inner, cv2.DIST_L2, 5)[1:-1, 1:-1]
