"""A reference laid on a drawing: what it shows where, and what its ground is worth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.regions.describe import SIDE, Box, describe
from backend.regions.register import SIDE as LAID_SIDE
from backend.tasks.laying import LaidPaints, believe, divide, lay_views
from backend.tasks.matcher import colour_from_sources
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


@pytest.mark.parametrize(
    ("own", "trust", "best"),
    [
        ([0.45, 0.31], 1.0, 1),
        ([0.45, 0.31], 0.2, 0),
        ([0.87, 0.04], 1.0, 1),
        ([0.87, 0.04], 0.8, 0),
    ],
)
def test_ground_that_lies_on_a_region_speaks_for_paper(own: list[float], trust: float, best: int):
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
        lined=np.zeros(SQUARE, bool),
        paper=np.where(areas == 1, trust, 0).astype(np.float32),
        ground=np.ones(SQUARE, int),
    )
    score = np.array([own, own])
    left, right = believe(score, view, laid)
    assert left.argmax() == best
    assert (right == score[1]).all()


def bust(*, hair: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(line, colour): a head over shoulders that no line ends below; with hair beside the head."""
    line, color = np.full((512, 512), 255, np.uint8), np.full((512, 512, 3), 255, np.uint8)
    cv2.ellipse(color, (256, 330), (150, 130), 0, 180, 360, figures.SHIRT, -1)
    cv2.ellipse(line, (256, 330), (150, 130), 0, 180, 360, 0, 6)
    if hair:
        cv2.ellipse(color, (256, 150), (110, 90), 0, 0, 360, figures.HAIR, -1)
        cv2.ellipse(line, (256, 150), (110, 90), 0, 0, 360, 0, 6)
    cv2.circle(color, (256, 140), 60, figures.SKIN, -1)
    cv2.circle(line, (256, 140), 60, 0, 6)
    return line, np.minimum(color, line[..., None])


@pytest.mark.parametrize("is_key", [False, True])
def test_a_finished_picture_or_a_key_frame_shows_where_an_open_figure_ends(is_key: bool):
    line, color = bust()
    coloured = colour_from_sources(line, [read_source(color, line if is_key else None)])
    assert figures.share_right(coloured.flats, color, line) > 0.99
    assert (coloured.flats[360:, :, :3] == 255).all()


def test_a_key_frame_shows_where_a_figure_that_has_moved_is_open():
    line, color = bust()
    moved, drawn = (np.roll(picture, (5, -7), (0, 1)) for picture in (color, line))
    coloured = colour_from_sources(line, [read_source(moved, drawn)])
    assert figures.share_right(coloured.flats, color, line) > 0.99


def test_of_the_ground_of_a_key_frame_only_its_own_paint_is_ground():
    line, color = bust()
    source = read_source(color, line)
    assert (source.areas.palette[source.ground] == 255).all()
    painting = source.views[0].painting
    assert painting is not None
    shown = {
        tuple(source.areas.palette[paint].tolist()) for paint in np.unique(painting) if paint >= 0
    }
    assert shown == {figures.SHIRT, figures.SKIN}


def test_what_a_line_ends_in_the_reference_alone_is_not_in_the_drawing():
    line, color = bust()
    coloured = colour_from_sources(line, [read_source(bust(hair=True)[1])])
    off = cv2.erode(line, np.ones((9, 9), np.uint8)) == 255
    beside = off & (color == 255).all(-1)
    assert (coloured.flats[beside][:, :3] == 255).all(-1).mean() > 0.99


def test_the_ground_between_thick_strokes_is_not_their_colour():
    """Strokes as thick as these are paint in a finished picture, and ink in a drawing."""
    line = np.full((512, 512), 255, np.uint8)
    cv2.ellipse(line, (256, 160), (150, 100), 0, 0, 360, 0, 12)
    color = cv2.merge([line] * 3)
    cv2.ellipse(color, (256, 160), (142, 92), 0, 0, 360, figures.HAIR, -1)
    for x in range(150, 370, 22):
        cv2.line(line, (x, 255), (x - 8, 460), 0, 16)
        cv2.line(color, (x + 6, 255), (x + 4, 460), (0, 0, 0), 16)
    coloured = colour_from_sources(line, [read_source(color)])
    shown = np.where(coloured.flats[..., 3:] > 0, coloured.flats[..., :3], 255)
    assert (shown[270:][line[270:] == 255] == 255).all(-1).mean() > 0.995


def test_what_floats_in_the_ground_is_no_part_of_the_figure():
    """Two patches of paint 1 on the ground: one on the figure's own line, one like lettering."""
    ink = np.zeros(SQUARE, np.uint8)
    ink[250:256, 100:300] = 255
    shown = np.zeros(SQUARE, bool)
    shown[256:320, 150:250] = shown[400:440, 350:450] = True
    label = np.ones(SQUARE, np.int32)
    view = View(
        picture=np.zeros((5, SIDE, SIDE), np.float32),
        regions=describe(label[:SIDE, :SIDE]),
        box=Box(0, 0, LAID_SIDE),
        ink=ink,
        areas=label.copy(),
    )
    laid = LaidPaints(
        paint=shown.astype(int),
        trust=np.ones(SQUARE, np.float32),
        closed=np.zeros(SQUARE, int),
        within=np.ones((1, 2), bool),
        shown=np.full((*SQUARE, 3), np.nan, np.float32),
        lined=np.zeros(SQUARE, bool),
        paper=np.zeros(SQUARE, np.float32),
        ground=np.zeros(SQUARE, int),
    )
    ground = np.array([False, True])
    colour, _ = divide(
        label, np.array([0, 1]), np.ones(2), view, laid, ~ground, np.zeros(2, bool), ground
    )
    assert colour[label[290, 200]] == 2
    assert colour[label[420, 400]] == 1
