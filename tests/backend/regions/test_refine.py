"""Regions that go on under the lines."""

from __future__ import annotations

import numpy as np

from backend.regions.refine import spread_under_ink


def test_ink_takes_the_nearest_number() -> None:
    label = np.zeros((5, 9), np.int32)
    label[:, :2], label[:, 6:] = 4, 7
    filled = spread_under_ink(label)
    assert (filled[:, :3] == 4).all()
    assert (filled[:, 5:] == 7).all()
    assert not label[:, 2:6].any()
    assert not spread_under_ink(np.zeros((3, 3), np.int32)).any()
