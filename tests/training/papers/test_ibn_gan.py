"""IBN-GAN: which pictures its norms can do with, and how its 8-bit pictures are made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training import papers, presets
from training.errors import TrainingError
from training.papers.ibn_gan import CODEC, check_size, chroma_scored
from training.papers.pieces import make_network, to_bytes
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


def test_bytes_are_rounded_or_cut_off_and_stay_in_range() -> None:
    values = torch.tensor([-0.1, 0.0, 0.5, 0.9995, 1.0, 2.0])
    assert to_bytes(values).tolist() == [0, 0, 128, 255, 255, 255]
    assert to_bytes(values, truncate=True).tolist() == [0, 0, 127, 254, 255, 255]


def test_only_the_release_cuts_off() -> None:
    settings = {row: presets.load("ibn_gan", row).config["eval"] for row in presets.rows("ibn_gan")}
    assert [row for row, one in settings.items() if one["truncate"]] == ["release"]
    assert presets.load("ibn_gan", "release").source("eval.truncate") == "release"


SMALL = ["model.width=2", "model.depth=4", "data.size=64", "data.count=2", "eval.pictures=0"]


@pytest.mark.parametrize("truncate", [False, True])
def test_ours_and_the_truth_pass_through_the_same_bytes(truncate: bool) -> None:
    config = presets.parse("ibn_gan", SMALL).as_config()
    sample = papers.dataset(config, None, "test")[0]
    batch = {"gray": sample["gray"][None], "ab": sample["ab"][None], "name": ["one"]}
    torch.manual_seed(0)
    network = make_network(config["model"]).eval()
    with torch.no_grad():
        (scored,) = chroma_scored(CODEC, network, iter([batch]), truncate=truncate)
        ours = CODEC.decode(batch["gray"], network(batch["gray"]).main)
    for found, picture in (scored.prediction, ours), (scored.target, scored.columns[-1]):
        scaled = picture * 255
        assert torch.equal(found.float(), scaled.floor() if truncate else scaled.round())


def test_an_evaluation_cuts_off_where_it_is_asked_to(tmp_path: Path) -> None:
    def found(truncate: str) -> float | None:
        settings = [*SMALL, f"eval.truncate={truncate}", 'eval.metrics=["psnr"]']
        config = presets.parse("ibn_gan", settings).as_config()
        return papers.evaluate(config, None, None, tmp_path, "cpu").metrics["psnr"]

    assert found("false") == found("false") != found("true")
