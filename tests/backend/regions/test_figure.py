"""A figure and the ground around it, region by region."""

from __future__ import annotations

import numpy as np
import pytest

from backend.regions.figure import agreed, at_border, off_ground, open_ground


def test_the_ground_has_no_colour_even_where_the_last_region_is_gone() -> None:
    label = np.ones((60, 80), np.int32)
    label[18:42, 18:62] = 0
    label[20:40, 20:60] = 2
    colour = np.array([0, 3, 1, 2])  # region 3 was taken away
    ground, _ = open_ground(label)
    assert off_ground(colour, ground).tolist() == [0, 0, 1, 2]
    assert colour.tolist() == [0, 3, 1, 2]


def test_parts_of_one_closed_area_decide_together_but_not_in_the_ground() -> None:
    score = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    closed, share = np.array([1, 1, 1]), np.array([0.3, 0.1, 0.1])
    together = agreed(score, closed, share, ground=np.array([False, False, True]))
    assert together[:2] == pytest.approx(np.array([[0.725, 0.275]] * 2))
    assert together[2] == pytest.approx(score[2])


def test_what_barely_touches_the_canvas_border_is_not_along_it() -> None:
    label = np.ones((100, 100), np.int32)
    label[0, :7], label[0, 7:20] = 2, 3
    assert at_border(label).tolist() == [False, True, False, True]
