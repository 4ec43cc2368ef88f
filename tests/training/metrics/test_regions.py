"""Region measures on pictures whose shares are known, and against the evaluation script."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from training.metrics import closed_regions, exact_accuracy, near_accuracy
from training.pretrained import data_folder

RED, GREEN, WHITE = (200, 30, 40), (20, 160, 60), (255, 255, 255)


def drawing() -> tuple[np.ndarray, np.ndarray]:
    """40 x 40: a red and a green half with a line between, a speck of 9 px, a strip of paper."""
    color = np.zeros((40, 40, 3), np.uint8)
    regions = np.zeros((40, 40), np.int32)
    for label, area, value in (
        (1, np.s_[:30, :20], RED),
        (2, np.s_[:30, 21:], GREEN),
        (3, np.s_[31:, :], WHITE),
    ):
        color[area], regions[area] = value, label
    color[3:6, 3:6], regions[3:6, 3:6] = GREEN, 7
    return color, regions


def test_the_truth_is_right_everywhere() -> None:
    color, regions = drawing()
    assert set(exact_accuracy(color, color, regions).values()) == {1.0}
    assert set(near_accuracy(color, color, regions).values()) == {1.0}


def test_exact_shares() -> None:
    color, regions = drawing()
    ours = color.copy()
    ours[regions == 2] = (20, 161, 60)  # one step off
    ours[regions == 7] = RED
    ours[regions == 0] = 99  # lines do not count
    shares = exact_accuracy(ours, color, regions)
    red, green, paper, speck = 600 - 9, 30 * 19, 9 * 40, 9
    assert shares["region_accuracy"] == pytest.approx(2 / 4)
    assert shares["region_accuracy_thresh"] == pytest.approx(2 / 3)
    everything = red + green + paper + speck
    assert shares["pixel_accuracy"] == pytest.approx((red + paper) / everything)
    assert shares["pixel_accuracy_foreground"] == pytest.approx(red / (everything - paper))
    assert shares["background_iou"] == 1
    assert exact_accuracy(ours, color, regions, tolerance=1)["region_accuracy"] == 3 / 4


def test_paper_that_is_painted_and_paint_that_is_paper() -> None:
    color, regions = drawing()
    ours = color.copy()
    ours[regions == 2] = WHITE
    assert exact_accuracy(ours, color, regions)["background_iou"] == 360 / (360 + 570)
    ours[regions == 3] = RED
    assert exact_accuracy(ours, color, regions)["background_iou"] == 0


def test_a_region_is_its_median() -> None:
    color, regions = drawing()
    ours = color.copy()
    ours[:14, :20][regions[:14, :20] == 1] = 0  # 271 of 591 pixels
    assert exact_accuracy(ours, color, regions)["region_accuracy"] == 1
    near = near_accuracy(ours, color, regions)
    assert near["regions"] == 1
    assert near["regions_count"] == pytest.approx(2 / 3), "less than 90 % of red is red"


def test_near_shares_are_of_areas() -> None:
    color, regions = drawing()
    ours = color.copy()
    ours[regions == 1] = (204, 32, 40)  # not noticeable
    ours[regions == 2] = RED
    ours[regions == 3] = (250, 200, 250)
    shares = near_accuracy(ours, color, regions)
    assert shares["regions"] == pytest.approx(600 / (600 + 570))
    assert shares["regions_paper"] == 0
    assert shares["regions_count"] == pytest.approx(2 / 3)
    assert shares["regions_exact"] == pytest.approx(9 / (600 + 570 + 360))


def test_specks_below_a_thousandth_are_left_out() -> None:
    color, regions = drawing()
    big, labels = np.tile(color, (3, 3, 1)), np.tile(regions, (3, 3))
    labels[labels == 7] = 0
    labels[3, 3] = 8
    big[3, 3] = RED
    wrong = big.copy()
    wrong[3, 3] = GREEN
    assert near_accuracy(wrong, big, labels)["regions"] == 1
    assert exact_accuracy(wrong, big, labels)["region_accuracy"] == 3 / 4


def test_a_picture_of_lines_alone_has_no_shares() -> None:
    black = np.zeros((8, 8, 3), np.uint8)
    lines = np.zeros((8, 8), np.int32)
    assert exact_accuracy(black, black, lines) == {}
    assert near_accuracy(black, black, lines) == {}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path: Path = data_folder().parent / "eval" / "score.py"
    if not path.is_file():
        pytest.skip("the evaluation script is absent")
    spec = importlib.util.spec_from_file_location("score", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(4))
def test_near_shares_are_those_of_the_evaluation_script(script: ModuleType, seed: int) -> None:
    line, color, regions = script.scene(128, 0.0, "ink", seed)
    generator = np.random.default_rng(seed)
    ours = color.astype(int) + generator.normal(0, 3, color.shape)
    for label in generator.choice(np.unique(regions), 6, replace=False):
        ours[regions == label] = generator.integers(0, 256, 3)
    ours = ours.clip(0, 255).astype(np.uint8)
    expected = script.region_accuracy(ours, color, regions)
    names = {"regions": "regions", "paper": "regions_paper", "count": "regions_count",
             "exact": "regions_exact"}  # fmt: skip
    shares = near_accuracy(ours, color, regions)
    assert shares == pytest.approx({names[k]: float(v) for k, v in expected.items()})
    np.testing.assert_array_equal(closed_regions(line, color), script.closed_regions(line, color))
