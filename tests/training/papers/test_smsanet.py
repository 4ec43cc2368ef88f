"""SMSANet: saliency of the truth is computed once a picture where pictures stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from training import papers
from training.engine import Trainer
from training.engine.batches import collate
from training.errors import TrainingError
from training.losses import saliency

from .test_recipes import small


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / "photos" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    return tmp_path / "photos"


def test_saliency_of_whole_pictures_is_kept(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    compute = saliency.ClassicalSaliency.__call__

    def spy(self: saliency.ClassicalSaliency, rgb: torch.Tensor) -> torch.Tensor:
        asked.append(len(rgb))
        return compute(self, rgb)

    monkeypatch.setattr(saliency.ClassicalSaliency, "__call__", spy)
    config = small("smsanet", "data.crop=false", "loss.salient_mask=truth", "train.steps=3")
    recipe = papers.build(config, photos)
    dataset = recipe.tracks[0].dataset
    for epoch in range(2):
        for index in range(len(dataset)):
            assert dataset[(epoch, index)]["saliency"].shape == (1, 64, 64)
    assert asked == [1] * len(dataset)
    Trainer(recipe, tmp_path / "run", device="cpu", quiet=True).fit()
    assert asked == [1] * len(dataset)  # the loss takes the maps of the data


def test_parts_of_pictures_have_no_maps_to_keep(photos: Path) -> None:
    dataset = papers.build(small("smsanet"), photos).tracks[0].dataset
    assert "saliency" not in dataset[(0, 0)]


@pytest.mark.parametrize("crop", ["true", "false"])
@pytest.mark.parametrize("generated", [True, False])
def test_a_perfect_prediction_costs_nothing(crop: str, generated: bool, photos: Path) -> None:
    recipe = papers.build(small("smsanet", f"data.crop={crop}"), None if generated else photos)
    (track,) = recipe.tracks
    batch = collate([track.dataset[(0, index)] for index in range(4)])
    terms = track.task.generator_terms(batch, {"main": batch["ab"].clone()})
    assert float(terms["g/salient"].raw) == 0


def test_the_rate_decays_from_scratch_on() -> None:
    def rates(share: float) -> list[float]:
        settings = (
            "train.scratch_steps=6", "train.steps=4", "train.scratch_lr=1.0",
            "optim.generator.lr=0.1", "optim.decay_factor=0.5", f"optim.decay_at={share}",
        )  # fmt: skip
        rate = papers.build(small("smsanet", *settings), None).optimisers["generator"].rate
        return [rate.at(step) for step in range(10)]

    assert rates(0.0) == [1.0] * 6 + [0.1] * 4
    assert rates(0.3) == [1.0] * 3 + [0.5] * 3 + [0.05] * 4
    assert rates(0.6) == [1.0] * 6 + [0.05] * 4
    assert rates(0.8) == [1.0] * 6 + [0.1] * 2 + [0.05] * 2


def test_weights_of_another_network_are_refused_with_their_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path))
    save_file({"layer1.weight": torch.zeros(1)}, tmp_path / "siggraph17.safetensors")
    with pytest.raises(TrainingError, match=r"siggraph17\.safetensors does not fit: 'layer1"):
        papers.build(small("smsanet", "train.init=siggraph17"), photos)
