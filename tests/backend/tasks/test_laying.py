"""A reference laid on a drawing: what it shows where, and what its ground is worth."""

from __future__ import annotations

import numpy as np
import pytest

from backend.regions.describe import SIDE, Box, describe
from backend.regions.register import SIDE as LAID_SIDE
from backend.tasks.laying import LaidPaints, believe, lay_views
from backend.tasks.sources import View, read_source
from tests.backend import figures

SQUARE = (LAID_SIDE, LAID_SIDE)


def test_the_ground_around_a_reference_is_told_from_its_paints():
    line, color, _ = figures.face(LAID_SIDE)
    source = read_source(color, line)
    assert source.ground >= 0
    view = source.views[0]
    paints = len(source.areas.palette)
    laid = lay_views(view, [view], [np.arange(paints)], paints, [source.ground])
    assert view.painting is not None
    open_ground = view.painting < 0
    assert (laid.paper[~open_ground] == 0).all()
    assert (laid.trust[open_ground] == 0).all()
    near = open_ground & (laid.paper > 0)
    assert near.any()
    assert (laid.ground[near] == source.ground).all()
    unknown = lay_views(view, [view], [np.arange(paints)], paints, [-1])
    assert not unknown.paper.any()


@pytest.mark.parametrize(("trust", "best"), [(1.0, 1), (0.2, 0)])
def test_ground_that_lies_on_a_region_speaks_for_paper(trust: float, best: int):
    label = np.ones((SIDE, SIDE), np.int32)
    label[:, SIDE // 2 :] = 2
    areas = np.ones(SQUARE, np.int32)
    areas[:, LAID_SIDE // 2 :] = 2
    nothing = np.zeros(SQUARE)
    view = View(
        picture=np.zeros((5, SIDE, SIDE), np.float32),
        regions=describe(label),
        box=Box(0, 0, LAID_SIDE),
        ink=nothing.astype(np.uint8),
        areas=areas,
    )
    laid = LaidPaints(
        paint=nothing.astype(int),
        trust=nothing.astype(np.float32),
        closed=nothing.astype(int),
        within=np.zeros((1, 2), bool),
        shown=np.full((*SQUARE, 3), np.nan, np.float32),
        paper=np.where(areas == 1, trust, 0).astype(np.float32),
        ground=np.ones(SQUARE, int),
    )
    score = np.array([[0.45, 0.31], [0.45, 0.31]])
    left, right = believe(score, view, laid)
    assert left.argmax() == best
    assert (right == score[1]).all()
