"""Photographs: codecs, saliency maps, and which are too grey to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.imaging.color import IBN, ZHANG
from training.data import PhotoDataset
from training.data.cache import ArrayCache
from training.data.layouts import photo_entries
from training.data.sources import Entry, FilePictures

from .conftest import save
from .made import photos, within


@pytest.mark.parametrize(("codec", "low", "high"), [(IBN, -1, 1), (ZHANG, -0.5, 0.5)])
def test_photos(codec, low: float, high: float) -> None:  # type: ignore[no-untyped-def]
    sample = photos(codec=codec)[0]
    assert sample["gray"].shape == (1, 32, 32) and within(sample["gray"], low - 1e-4, high + 1e-4)
    assert sample["ab"].shape == (2, 32, 32) and within(sample["ab"], -1, 1)
    decoded = codec.decode(
        sample["gray"].permute(1, 2, 0).numpy(), sample["ab"].permute(1, 2, 0).numpy()
    )
    assert np.abs(decoded - sample["rgb"].permute(1, 2, 0).numpy()).max() < 1 / 255
    assert set(sample["saliency"].unique().tolist()) <= {0.0, 1.0}


def test_saliency_backend_is_asked_once_a_picture(tmp_path: Path) -> None:
    path = save(
        tmp_path / "p.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    )
    asked = []

    def backend(rgb: torch.Tensor) -> torch.Tensor:
        asked.append(rgb.shape)
        return rgb[:, :1]

    source = FilePictures("p", [Entry("p", path)], tmp_path)
    options = {"saliency": backend, "cache": ArrayCache(tmp_path / "c")}
    dataset = PhotoDataset(source, 32, saliency_key="one", **options)
    masks = [dataset[0]["saliency"] for _ in range(3)]
    assert asked == [(1, 3, 32, 32)] and torch.equal(masks[0], masks[2])
    PhotoDataset(source, 32, saliency_key="two", **options)[0]
    assert len(asked) == 2
    cropped = PhotoDataset(source, 32, saliency_key="one", crop=True, **options)
    assert len({cropped[(epoch, 0)]["saliency"].shape for epoch in range(2)}) == 1
    assert len(asked) == 4  # parts are no maps to keep


def test_nearly_grey_photos_are_left_out(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((20, 20, 3), 120, np.uint8))
    save(tmp_path / "b.png", np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8))

    source = FilePictures("p", photo_entries(tmp_path), tmp_path)
    assert PhotoDataset(source, 16, gray_threshold=5)[0]["name"] == "b"


def test_a_photo_serves_or_not_whatever_its_part(tmp_path: Path) -> None:
    wide = np.full((20, 200, 3), 120, np.uint8)
    wide[:, :30] = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "other.png", wide[:, :20])

    source = FilePictures("p", photo_entries(tmp_path), tmp_path)
    dataset = PhotoDataset(source, 16, gray_threshold=5, crop=True)
    seen = [dataset[(epoch, 1)] for epoch in range(12)]
    assert {sample["name"] for sample in seen} == {"wide"}
    assert any(float(sample["ab"].abs().max()) < 0.01 for sample in seen)  # a grey part
