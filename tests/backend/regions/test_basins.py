"""Basins of a distance map, against the plain way: pixel by pixel, the deepest first."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.regions.basins import find_basins

NECK = 0.65
AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]

Place = tuple[int, int]


def plainly(depth: np.ndarray) -> tuple[dict[Place, Place], set[tuple[Place, Place, float]]]:
    """The root of each free pixel, and where two basins meet."""
    parent: dict[Place, Place] = {}

    def root(place: Place) -> Place:
        while parent[place] != place:
            place = parent[place]
        return place

    free = [(int(y), int(x)) for y, x in np.argwhere(depth > 0)]
    free.sort(key=lambda place: (-int(depth[place] * 16), place))
    met: list[tuple[Place, Place, float]] = []
    for y, x in free:
        here = depth[y, x]
        beside = []
        for down, right in AROUND:
            other = (y + down, x + right)
            corner = down and right and depth[y, x + right : x + right + 1].sum() == 0
            if other in parent and not (corner and depth[other[0], x] == 0):
                steep = (depth[other] - here) / np.float32(1.41421356 if down and right else 1)
                beside.append((steep, other))
        parent[y, x] = (y, x)
        if not beside:
            continue
        own = root(max(beside, key=lambda found: found[0])[1])
        parent[y, x] = own
        for _, other in beside:
            there = root(other)
            if there == own:
                continue
            lower = min(depth[own], depth[there])
            if here < NECK * lower and lower - here > 1:
                met.append((own, there, float(here)))
            elif depth[there] > depth[own]:
                parent[own], own = there, there
            else:
                parent[there] = own
    roots = {place: root(place) for place in free}
    return roots, {(roots[one], roots[other], saddle) for one, other, saddle in met}


def drawings() -> list[np.ndarray]:
    """(H, W) uint8, 0 = ink: specks, two rooms with a door, corners that touch, a row of ink."""
    rng = np.random.default_rng(3)
    specks = [(rng.random((31, 40)) < share).astype(np.uint8) for share in (0.5, 0.8, 0.97)]
    rooms = np.ones((40, 60), np.uint8)
    rooms[:, 30] = 0
    rooms[18:22, 30] = 1
    corners = np.ones((30, 30), np.uint8)
    corners[np.arange(30), np.arange(30)] = 0
    smooth = cv2.GaussianBlur(rng.random((50, 37)), (0, 0), 2) > 0.47
    return [*specks, rooms, corners, smooth.astype(np.uint8), np.eye(1, 9, dtype=np.uint8)]


@pytest.mark.parametrize("free", drawings())
def test_basins_are_those_of_the_plain_way(free: np.ndarray) -> None:
    depth = cv2.distanceTransform(free, cv2.DIST_L2, 5)
    roots, met = plainly(depth)
    found = find_basins(depth, NECK)
    numbers = {place: n for n, place in enumerate(sorted(set(roots.values())), 1)}
    label = np.zeros(depth.shape, np.int32)
    for place, top in roots.items():
        label[place] = numbers[top]
    assert np.array_equal(found.label, label)
    expected = {(numbers[one], numbers[other], saddle) for one, other, saddle in met}
    assert set(zip(found.first, found.second, found.saddle.tolist(), strict=True)) == expected
    area = np.bincount(label.ravel(), minlength=len(numbers) + 1)
    assert found.area.tolist() == [0, *area[1:].tolist()]
    peaks = [depth[label == number].max() for number in range(1, len(numbers) + 1)]
    assert found.peak.tolist() == [0.0, *peaks]


def test_a_door_parts_two_rooms_and_a_wide_one_does_not() -> None:
    rooms = np.pad(np.ones((38, 58), np.uint8), 1)
    rooms[:, 30] = 0
    rooms[18:22, 30] = 1
    found = find_basins(cv2.distanceTransform(rooms, cv2.DIST_L2, 5), NECK)
    assert len(found.area) == 3 and found.label[20, 10] != found.label[20, 50]
    rooms[5:35, 30] = 1
    assert len(find_basins(cv2.distanceTransform(rooms, cv2.DIST_L2, 5), NECK).area) == 2


def test_paper_without_ink_is_one_basin() -> None:
    found = find_basins(np.full((30, 40), 40.0, np.float32), NECK)
    assert (found.label == 1).all() and found.area.tolist() == [0, 1200]


def test_ink_without_paper_has_no_basin() -> None:
    found = find_basins(np.zeros((5, 6), np.float32), NECK)
    assert not found.label.any() and found.area.tolist() == [0] and len(found.saddle) == 0
