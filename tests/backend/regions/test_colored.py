"""Areas of one paint in finished pictures."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from backend.regions.colored import MOST_AREAS, find_painted_areas, paint_regions
from tests.backend import figures

COLORS = {figures.SKIN, figures.HAIR, figures.SHIRT, figures.EYE, figures.WHITE}


def colours(found) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in found.palette.tolist()}


def test_flat_colours_come_back_to_the_bit_with_and_without_known_lines():
    line, color, _ = figures.face()
    for ink in (None, line < 128):
        found = find_painted_areas(color, ink)
        assert colours(found) == COLORS
        inside = found.label > 0
        assert (found.palette[found.paint[found.label[inside]]] == color[inside]).all()
        assert inside.mean() > 0.9


def test_regions_and_the_finer_areas_in_them_share_a_palette():
    line, color, parts = figures.face()
    color[(parts == 3) & (np.arange(512) < 200)] = shade = (20, 30, 90)
    label = cv2.connectedComponents((line >= 128).astype(np.uint8), connectivity=4)[1]
    regions, areas = paint_regions(color, label, find_painted_areas(color, line < 128))
    assert regions.palette is areas.palette
    assert {*COLORS, shade} <= colours(areas)
    shirt = parts == 3
    assert set(regions.paint[np.unique(label[shirt & (label > 0)])].tolist()) == {
        regions.palette.tolist().index(list(figures.SHIRT))
    }
    inside = areas.label > 0
    assert (areas.palette[areas.paint[areas.label[inside]]] == color[inside]).all()


def test_both_eyes_are_areas_of_one_paint():
    _, color, parts = figures.face()
    found = find_painted_areas(color)
    eyes = np.unique(found.label[(parts == 4) & (found.label > 0)])
    assert len(eyes) == 2
    assert len(set(found.paint[eyes].tolist())) == 1


def test_a_smoothly_shrunk_picture_keeps_its_palette():
    _, color, _ = figures.face()
    small = np.asarray(Image.fromarray(color).resize((410, 410), Image.Resampling.LANCZOS))
    assert colours(find_painted_areas(small)) == COLORS


def test_soft_shading_is_one_area():
    ramp = np.linspace(120, 200, 400).astype(np.uint8)
    color = np.zeros((200, 400, 3), np.uint8)
    color[..., 0] = ramp
    color[:, 200:202] = 0  # a line
    found = find_painted_areas(color)
    assert found.label.max() == 2


def test_lines_are_no_areas_but_black_shapes_are():
    color = np.full((300, 300, 3), 255, np.uint8)
    cv2.circle(color, (150, 150), 100, (0, 0, 0), 5)
    found = find_painted_areas(color)
    assert colours(found) == {(255, 255, 255)}
    cv2.circle(color, (150, 150), 40, (0, 0, 0), -1)
    assert colours(find_painted_areas(color)) == {(255, 255, 255), (0, 0, 0)}


def test_noise_gives_few_areas():
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert find_painted_areas(color).label.max() == 0
    found = find_painted_areas(np.repeat(np.repeat(color[:64, :64], 16, 0), 16, 1))
    assert 0 < found.label.max() <= MOST_AREAS
    assert len(found.paint) == found.label.max() + 1
