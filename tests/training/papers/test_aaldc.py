"""AALDC: both readings of the triplet loss that train, and how the line extractor is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training import papers, presets
from training.engine import Trainer, read_history
from training.papers import sources
from training.papers.aaldc import mean_error

from .test_recipes import small


@pytest.mark.parametrize("mode", ["tps", "released", "none"])
def test_every_mode_of_the_triplet_trains(mode: str, tmp_path: Path) -> None:
    config = small("aaldc/scft", f"loss.triplet_mode={mode}", "train.steps=1")
    recipe = papers.build(config, None)
    before = [p.clone() for p in recipe.networks["generator"].cross.parameters()]  # type: ignore[union-attr]
    Trainer(recipe, tmp_path, device="cpu", quiet=True).fit()
    loss = read_history(tmp_path)["g/triplet"][-1][1]
    assert (loss == 0) == (mode == "none")
    after = list(recipe.networks["generator"].cross.parameters())  # type: ignore[union-attr]
    assert not all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_mean_error_is_the_mean_difference_of_each_picture() -> None:
    ours = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    truth = ours.clone()
    truth[0] += 51
    truth[1, 0] = 255
    torch.testing.assert_close(mean_error(ours, truth), torch.tensor([0.2, 1 / 3]))
    torch.testing.assert_close(mean_error(truth, ours), torch.tensor([0.2, 1 / 3]))


def test_the_line_extractor_is_measured_on_what_was_held_out(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 2)):
        for number in range(count):
            both = np.full((16, 32, 3), 60 * number, np.uint8)
            both[:, 16:] = 255
            both[4:6, 16:] = 0
            path = tmp_path / "d" / split / f"{split}{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(both).save(path)
    preset = presets.parse("aaldc/line_extractor", ["model.width=2", "data.size=64"])
    config = preset.as_config()
    assert len(sources.samples(config, tmp_path / "d", "train")) == 3
    assert config["train"]["steps"] == 14_224 // 16 * 20
    result = papers.evaluate(config, tmp_path / "d", None, tmp_path / "out", "cpu")
    assert set(result.metrics) == {"l1", "ssim", "psnr", "mse"} and result.count == 2
    error = result.metrics["l1"]
    assert error is not None and 0 < error < 1
