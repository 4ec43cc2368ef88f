"""What hints leave open: helpers that tell the ground from the figure."""

from __future__ import annotations

import numpy as np

from backend.tasks.completion import off_ground, open_ground


def test_the_ground_has_no_colour_even_where_the_last_region_is_gone():
    label = np.ones((60, 80), np.int32)
    label[18:42, 18:62] = 0
    label[20:40, 20:60] = 2
    colour = np.array([0, 3, 1, 2])  # region 3 was taken away
    ground, _ = open_ground(label)
    assert off_ground(colour, ground).tolist() == [0, 0, 1, 2]
    assert colour.tolist() == [0, 3, 1, 2]
