"""IBN-GAN: pictures too small for its norms are refused, and no budget makes them so."""

from __future__ import annotations

import pytest

from training import papers, presets
from training.errors import TrainingError
from training.papers.ibn_gan import check_size
from training.presets.configuration import read_toml
from training.presets.loader import FOLDER

BUDGETS = read_toml(FOLDER / "ibn_gan" / "budgets.toml")


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("row", presets.rows("ibn_gan"))
def test_no_budget_goes_below_what_a_row_allows(row: str, budget: str) -> None:
    check_size(presets.load("ibn_gan", row).with_changes(BUDGETS[budget], "budget").as_config())


@pytest.mark.parametrize(
    ("row", "settings", "remedy"),
    [
        ("in", ["data.size=128"], "use data.size >= 256"),
        ("in_sn", ["data.size=100"], "use data.size >= 256"),
        ("in", ["data.size=64", "model.depth=6"], "use data.size >= 128"),
        ("bn", ["data.size=128", "train.batch=1"], "use data.size >= 256"),
    ],
)
def test_too_small_pictures_are_refused(row: str, settings: list[str], remedy: str) -> None:
    config = presets.parse(f"ibn_gan/{row}", ["data.count=2", *settings]).as_config()
    with pytest.raises(TrainingError, match=remedy):
        papers.build(config, None)


@pytest.mark.parametrize(
    ("row", "settings"),
    [("in", []), ("bn", ["data.size=128"]), ("release", ["data.size=128"])],
)
def test_others_are_not(row: str, settings: list[str]) -> None:
    check_size(presets.parse(f"ibn_gan/{row}", settings).as_config())
