"""Pairs of drawing and colours: keys, shapes, the warped reference, the lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.data import PairedLineDataset
from training.data.sources import Entry, FilePictures

from .conftest import save
from .made import pairs, within


def test_pairs() -> None:
    sample = pairs()[0]
    assert sample["line"].shape == (1, 48, 48) and sample["line"].max() == 1
    for name in ("color", "reference"):
        assert sample[name].shape == (3, 48, 48) and within(sample[name], -1, 1)
    assert sample["triplet"].shape == (2, 48, 48)
    assert sample["regions"].dtype == torch.int32 and sample["regions"].shape == (48, 48)
    assert (sample["reference"] - sample["color"]).abs().mean() > 0.02


def test_reference_is_the_colour_at_the_places_of_triplet() -> None:
    sample = pairs()[1]
    again = torch.nn.functional.grid_sample(
        (sample["color"][None] + 1) / 2,
        sample["triplet"].permute(1, 2, 0)[None],
        mode="bicubic",
        padding_mode="zeros",
        align_corners=False,
    )
    assert (again[0].clamp(0, 1) * 2 - 1 - sample["reference"]).abs().max() < 1e-4


def test_without_warp_the_reference_is_the_picture() -> None:
    sample = pairs(warp=False)[0]
    assert torch.equal(sample["reference"], sample["color"])


def test_lines_of_pictures_without_drawings_are_recorded(tmp_path: Path) -> None:
    path = save(tmp_path / "p.png", pairs()[0]["color"].permute(1, 2, 0).numpy().astype(np.uint8))
    dataset = PairedLineDataset(FilePictures("p", [Entry("p", path)], tmp_path), 32)
    # known before the first sample is made, when a run writes down what it does without
    assert dataset.degraded == ["lines=xdog: pictures without a line file"]
    assert dataset[0]["line"].shape == (1, 32, 32)
