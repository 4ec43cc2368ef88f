"""Drawings as the region matcher sees them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.regions.describe import FACTS, SIDE, crop, describe, figure_box, find_ground
from tests.backend import figures


def described(parts: np.ndarray):
    label = parts.astype(np.int32) + 1
    return describe(crop(label, figure_box(label), SIDE, 0, exact=True))


def test_place_and_size_of_the_canvas_change_nothing():
    small, large = described(figures.face(256)[2]), described(figures.face(1500, shift=0.1)[2])
    assert small.number.tolist() == large.number.tolist()
    # the first is the paper around the figure, of which more or less is seen
    assert np.abs(small.facts - large.facts)[1:].max() < 0.05
    assert np.abs(small.point - large.point)[1:].max() < 0.15


def test_the_point_of_a_region_lies_in_it():
    found = described(figures.face()[2])
    x, y = np.rint((found.point.T + 1) / 2 * SIDE - 0.5).astype(int)
    assert found.label[y, x].tolist() == list(range(1, len(found.number) + 1))
    assert found.facts.shape == (len(found.number), FACTS)
    assert np.isfinite(found.facts).all()


def test_the_largest_regions_are_kept():
    label = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) // 16 % 500 + 1
    label[:100] = 7
    found = describe(label.astype(np.int32), most=20)
    assert len(found.number) == 20
    assert 7 in found.number
    assert found.label.max() == 20


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3)])
def test_any_canvas(shape):
    label = np.ones(shape, np.int32)
    found = describe(crop(label, figure_box(label), SIDE, 0, exact=True))
    assert found.number.tolist() == [1]


def test_nothing_at_all():
    found = describe(np.zeros((SIDE, SIDE), np.int32))
    assert found.facts.shape == (0, FACTS)
    assert found.point.shape == (0, 2)


def test_a_figure_from_border_to_border_parts_the_ground() -> None:
    areas = np.ones((100, 140), np.int32)
    areas[:, 60:] = 2
    areas[:, 90:] = 3
    assert find_ground(areas).tolist() == [False, True, False, True]
    box = figure_box(areas)
    assert box.left < 60 < 90 < box.left + box.side


def test_a_figure_that_is_cut_at_its_foot_is_no_ground() -> None:
    areas = np.ones((100, 140), np.int32)
    areas[40:, 5:] = 2  # holds a corner below and a third of the border
    assert find_ground(areas).tolist() == [False, True, False]


def test_a_picture_of_many_areas_has_no_ground() -> None:
    areas = np.kron(np.arange(1, 26).reshape(5, 5), np.ones((20, 20))).astype(np.int32)
    assert not find_ground(areas).any()
