"""Generated pictures: repeatable, exact, varied."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from training.data import procedural
from training.data.picture import Picture
from training.data.procedural.scene import shade_of
from training.data.shots import ShotRules

from .made import split


@pytest.mark.parametrize("seed", range(6))
def test_toon_is_repeatable_and_every_region_has_one_paint_and_its_shade(seed: int) -> None:
    toon, again = procedural.toon(seed, 128), procedural.toon(seed, 128)
    assert (toon.paint == again.paint).all() and (toon.areas == again.areas).all()
    clear = toon.drawing == 255
    for number in range(1, int(toon.areas.max()) + 1):
        inside = toon.paint[(toon.areas == number) & clear]
        if len(inside) < 12:
            continue
        kinds, counts = np.unique(inside, axis=0, return_counts=True)
        paints = {tuple(int(value) for value in kind) for kind in kinds}
        commonest = tuple(int(value) for value in kinds[counts.argmax()])
        light = commonest if shade_of(commonest) in paints else None
        # mixtures only lie on the soft border between paint and shade
        ends = np.array([kinds.min(0), kinds.max(0)], np.float64)
        if light is None and len(kinds) > 1:
            assert (
                any(shade_of(paint) == commonest for paint in paints) or np.ptp(ends, 0).max() < 90
            )


def test_regions_are_closed_by_lines_or_paint() -> None:
    toon = procedural.toon(3, 128)
    assert (toon.areas[toon.drawing < 128] == 0).all()
    assert (toon.areas[toon.drawing >= 128] > 0).all()


def test_without_shade_a_region_is_one_colour() -> None:
    toon = procedural.toon(5, 128, shade=False)
    clear = toon.drawing == 255
    for number in range(1, int(toon.areas.max()) + 1):
        inside = toon.paint[(toon.areas == number) & clear]
        assert len(inside) == 0 or (inside == inside[0]).all()


def test_seeds_give_different_drawings() -> None:
    pictures = [procedural.toon(seed, 64).paint.tobytes() for seed in range(12)]
    assert len(set(pictures)) == 12


def test_shot_moves_and_keeps_its_paints() -> None:
    frames = procedural.shot(4, 96, 6)
    differences = [np.abs(a.paint.astype(int) - b.paint).mean() for a, b in pairwise(frames)]
    assert min(differences) > 0.3
    common = [commonest(frame) for frame in frames]
    assert len(set(common)) == 1


def commonest(picture: Picture) -> tuple[int, ...]:
    colors, counts = np.unique(picture.paint.reshape(-1, 3), axis=0, return_counts=True)
    return tuple(int(value) for value in colors[counts.argmax()])


def test_occlusion_adds_something_in_front() -> None:
    plain = procedural.shot(2, 64, 3, occlusion=False)[1]
    covered = procedural.shot(2, 64, 3, occlusion=True)[1]
    assert (plain.paint != covered.paint).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hard_cuts_are_found(seed: int) -> None:
    frames, cuts = procedural.film(seed, 96, scenes=3, shortest=8, longest=10)
    rules = ShotRules(threshold=60_000, darkest=0, palest=0)
    shots = split([frame.paint for frame in frames], rules)
    assert [shot[0] for shot in shots] == [0, *cuts]


def test_page_is_registered_in_colour_and_black_and_white() -> None:
    page = procedural.page(1, 200)
    assert page.monochrome is not None
    assert page.paint.shape == (280, 200, 3) and page.areas.shape == (280, 200)
    assert (page.paint[:5] == 255).all() and (page.monochrome[:5] == 255).all()  # gutter
    assert (page.monochrome[page.drawing < 64] < 64).all()
    assert 0.02 < (page.monochrome == 0).mean() < 0.7
    assert page.areas.max() > 20


def test_photo_has_a_foreground_of_another_colour() -> None:
    for seed in range(8):
        photo = procedural.photo(seed, 96)
        assert photo.saliency is not None
        front = photo.saliency > 127
        assert 0.01 < front.mean() < 0.8
        assert np.abs(photo.paint[front].mean(0) - photo.paint[~front].mean(0)).max() > 8
