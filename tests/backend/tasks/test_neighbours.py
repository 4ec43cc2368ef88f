"""Regions without a good match follow the frame before, where that one is sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.regions.palette import paint
from backend.tasks.canvas import Canvas, read_canvas
from backend.tasks.layer import LayerResult
from backend.tasks.neighbours import as_neighbour, follow_neighbour
from tests.backend import figures

PALETTE = np.array(
    [(*colour, 255) for colour in (figures.WHITE, figures.SKIN, figures.HAIR, figures.SHIRT)],
    np.uint8,
)


def coloured(shift: float) -> tuple[Canvas, LayerResult, dict[int, int]]:
    """A face whose regions are all sure of their right colours, and the region of each part."""
    line, _, parts = figures.face(320, shift=shift)
    canvas = read_canvas(line)
    label = canvas.chambers.label
    region_of = {}
    region_palette = np.full(int(label.max()) + 1, -1, np.int32)
    for region in range(1, len(region_palette)):
        part = int(np.median(parts[label == region]))
        region_of[part] = region
        region_palette[region] = part % len(PALETTE)
    sure = np.ones(len(region_palette), np.float32)
    flats = paint(label, region_palette, PALETTE, 4)
    return canvas, LayerResult(flats, label, PALETTE, region_palette, [], [], sure), region_of


def spoiled(result: LayerResult, region: int, colour: int, sure: float) -> LayerResult:
    region_palette, confidence = result.region_palette.copy(), result.confidence.copy()
    region_palette[region], confidence[region] = colour, sure
    flats = paint(result.regions, region_palette, result.palette, 4)
    return replace(result, flats=flats, region_palette=region_palette, confidence=confidence)


def colour_of(result: LayerResult, region: int) -> tuple[int, ...]:
    assert (
        result.flats[result.regions == region] == result.flats[result.regions == region][0]
    ).all()
    return tuple(result.palette[result.region_palette[region]])


def test_a_doubtful_region_takes_what_the_frame_before_shows_there():
    before = as_neighbour(1, *coloured(0.0)[:2])
    canvas, result, region_of = coloured(0.02)
    shirt = region_of[3]
    wrong = spoiled(result, shirt, 2, 0.3)
    mended = follow_neighbour(canvas, wrong, before)
    assert (mended.flats == result.flats).all()
    assert len(mended.palette) == len(PALETTE)
    # it is as doubtful as before
    assert np.flatnonzero(mended.doubtful).tolist() == [shirt]
    # what is sure stays as it is
    sure = spoiled(result, shirt, 2, 0.6)
    assert follow_neighbour(canvas, sure, before) is sure


def test_a_colour_that_is_new_to_the_frame_joins_its_palette():
    before = as_neighbour(1, *coloured(0.0)[:2])
    canvas, result, region_of = coloured(0.02)
    shirt = region_of[3]
    poor = replace(result, palette=PALETTE[:3])
    wrong = spoiled(replace(poor, region_palette=np.minimum(poor.region_palette, 2)), shirt, 1, 0.1)
    mended = follow_neighbour(canvas, wrong, before)
    assert colour_of(mended, shirt) == (*figures.SHIRT, 255)
    assert len(np.unique(mended.palette, axis=0)) == len(mended.palette) == 4


def test_doubt_is_not_handed_on():
    canvas, result, region_of = coloured(0.0)
    shirt = region_of[3]
    before = as_neighbour(1, canvas, spoiled(result, shirt, 1, 0.4))
    canvas, result, region_of = coloured(0.02)
    wrong = spoiled(result, region_of[3], 2, 0.3)
    assert follow_neighbour(canvas, wrong, before) is wrong


def test_a_frame_of_another_size_says_nothing():
    before = as_neighbour(1, *coloured(0.0)[:2])
    line = figures.face(300)[0]
    canvas = read_canvas(line)
    label = canvas.chambers.label
    count = int(label.max()) + 1
    region_palette = np.zeros(count, np.int32)
    result = LayerResult(
        paint(label, region_palette, PALETTE, 4),
        label,
        PALETTE,
        region_palette,
        [],
        [],
        np.zeros(count, np.float32),
    )
    assert follow_neighbour(canvas, result, before) is result
