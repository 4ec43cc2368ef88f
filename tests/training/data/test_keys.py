"""Key frames alone: which frames become targets, references, and what stands in for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.data import open_dataset
from training.data.clips import evenly_spaced
from training.data.keys import KeyFrameDataset
from training.data.shot_sources import GeneratedShots

from .conftest import save

SETTINGS = {"size": 32, "count": 2, "seed": 0, "clip": 8, "references": 2, "finetune_shots": 2}


def dataset(keys: int, references: int, count: int = 1) -> KeyFrameDataset:
    source = GeneratedShots(count, size=32)
    return KeyFrameDataset(source, 32, keys=keys, references=references)


def frames_of(data: KeyFrameDataset, shot: int = 0) -> torch.Tensor:
    """The whole shot's colours, to find frames again."""
    pictures = data.pictures(shot, list(range(data.source.length(shot))), np.random.default_rng(0))
    return data.sample_of(pictures, 0, "")["color"]


@pytest.mark.parametrize("references", [1, 2, 3, 5])
def test_each_key_is_the_target_once_and_others_are_its_references(references: int) -> None:
    data = dataset(6, references)
    shot = frames_of(data)
    keys = evenly_spaced(len(shot), 6)
    assert len(data) == 6
    for index, key in enumerate(keys):
        sample = data[index]
        frames = max(3, references + 1)
        assert sample["line"].shape == (frames, 1, 32, 32) and "regions" not in sample
        target = int(sample["target"])
        places = evenly_spaced(frames, references)
        assert target not in places and torch.equal(sample["color"][target], shot[key])
        others = [shot[other] for other in keys if other != key]
        for place in places:
            assert any(torch.equal(sample["color"][place], other) for other in others)


def test_of_two_keys_one_is_warped_to_be_its_own_reference() -> None:
    data = dataset(2, 2)
    shot = frames_of(data)
    sample = data[0]
    assert int(sample["target"]) == 1 and torch.equal(sample["color"][1], shot[0])
    assert torch.equal(sample["color"][0], shot[-1])
    bent = (sample["color"][2] - shot[0]).abs().mean()
    assert 0.001 < bent < 0.5
    assert not torch.equal(sample["line"][2], sample["line"][1])
    assert not torch.equal(data[(1, 0)]["color"][2], sample["color"][2])  # bent anew


def test_pictures_that_are_keys(tmp_path: Path) -> None:
    for number in range(3):
        picture = np.full((24, 30, 3), 40 + 60 * number, np.uint8)
        save(tmp_path / "keys" / f"{number}.png", picture)
        save(tmp_path / "drawn" / f"color_{number}.png", picture)
        save(tmp_path / "drawn" / f"line_{number}.png", picture[..., 0])
    options = {**SETTINGS, "keys": 9, "eval_series": "1"}
    given = {**options, "shot_threshold": 0.0}
    for folder, settings in (("keys", given), ("drawn", options)):
        data = open_dataset("shots", settings, tmp_path / folder, "finetune")
        assert len(data) == 3 and data[0]["color"].shape == (3, 3, 32, 32)


def test_shots_without_keys_are_clips_as_ever() -> None:
    data = open_dataset("shots", SETTINGS, None, "finetune")
    assert not isinstance(data, KeyFrameDataset) and data[0]["color"].shape[0] == 8
