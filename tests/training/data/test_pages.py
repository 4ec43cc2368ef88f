"""Pages: hints, padding, drawings that came with them, black-and-white ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from backend.imaging.xdog import XDoG
from training import presets
from training.data import MangaDataset, MonochromeDataset, procedural
from training.data.hints import NoHints, PixelHints
from training.data.layouts import photo_entries
from training.data.sources import FilePictures, GeneratedPictures, Monochrome
from training.papers.sources import samples

from .conftest import save
from .made import pages, within


def test_pages() -> None:
    sample = pages(hints=PixelHints(sparse=1, full=0, std=0.05))[0]
    for name in ("gray", "line", "distance"):
        assert sample[name].shape == (1, 64, 64) and within(sample[name], 0, 1)
    mask = sample["hint"][3]
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(sample["hint"][:3], sample["color"] * mask)


def test_whole_pages_are_padded() -> None:
    sample = pages(crop="whole", hints=PixelHints(sparse=1, full=0, std=0.05))[0]
    height, width = sample["valid"].tolist()
    assert (height, width) == (90, 64) and sample["line"].shape == (1, 96, 64)
    assert (sample["hint"][:, height:] == 0).all() and (sample["line"][:, height:] <= 1).all()
    assert sample["regions"].shape == (96, 64)


def test_recoloured_pages_keep_their_drawing() -> None:
    options = {"crop": "centre", "flip": False, "hints": PixelHints(sparse=1, full=0, std=0.5)}
    plain, fresh = pages(**options)[0], pages(recolor=True, **options)[0]
    assert torch.equal(plain["line"], fresh["line"])
    assert (plain["color"] - fresh["color"]).abs().mean() > 0.1


def test_pages_without_hints_keep_their_colours() -> None:
    options = {"crop": "centre", "flip": False, "hints": NoHints()}
    plain, fresh = pages(**options)[0], pages(recolor=True, **options)[0]
    assert torch.equal(plain["color"], fresh["color"])


def test_pages_with_the_drawing_that_came_with_them() -> None:
    source = GeneratedPictures("toon", 1, size=64)
    options = {"crop": "whole", "flip": False, "color_shift": 0.0}
    drawn = MangaDataset(source, 64, drawn=True, **options)[0]
    line = source.load(0).drawing
    assert torch.equal(drawn["line"][0], torch.from_numpy(line.copy()) / 255)
    assert not torch.equal(drawn["line"], MangaDataset(source, 64, **options)[0]["line"])


def test_noise_of_pages_is_neither_drawn_nor_learnt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    flat = np.full((80, 70, 3), (200, 120, 90))
    save(tmp_path / "a.png", np.clip(flat + rng.normal(0, 12, flat.shape), 0, 255).astype(np.uint8))
    source = FilePictures("a", photo_entries(tmp_path), tmp_path)
    options = {"crop": "whole", "flip": False, "color_shift": 0.0}
    noisy, smooth = (
        MangaDataset(source, 64, denoise_sigma=sigma, **options)[0]["color"][:, :60, :60]
        for sigma in (0.0, 15.0)
    )
    assert smooth.std((1, 2)).max() < 0.5 * noisy.std((1, 2)).min()
    assert (smooth.mean((1, 2)) - noisy.mean((1, 2))).abs().max() < 0.02


def test_the_release_draws_the_enlarged_page(tmp_path: Path) -> None:
    for index in range(2):
        save(tmp_path / "val" / f"p{index}.png", procedural.page(index, 200).paint)
        save(tmp_path / "train" / f"t{index}.png", procedural.page(index, 64).paint)
    source = FilePictures("p", photo_entries(tmp_path / "val"), tmp_path / "val")
    xdog = XDoG(sigma=0.5, ratio=8.0, tau=0.95, phi=89.25, eps=-0.1)
    options = {"xdog": xdog, "scales": (7,), "crop": "centre", "flip": False, "color_shift": 0.0}
    settings = ["data.size=64", "data.denoise=false"]
    config = presets.parse("manga/release", settings).as_config()
    line = samples(config, tmp_path, "test")[0]["line"]
    drawn = MangaDataset(source, 64, from_original=False, **options)[0]["line"]
    assert torch.equal(line, drawn)
    assert not torch.equal(line, MangaDataset(source, 64, **options)[0]["line"])
    paper = presets.parse("manga", settings).as_config()
    assert not torch.equal(line, samples(paper, tmp_path, "test")[0]["line"])


def test_jitter_pales_the_drawing_alone() -> None:
    options = {"crop": "centre", "flip": False, "color_shift": 0.0}
    plain, pale = pages(**options), pages(line_jitter=0.3, **options)
    shares = set()
    for epoch in range(6):
        one, other = plain[(epoch, 0)], pale[(epoch, 0)]
        assert torch.equal(one["distance"], other["distance"])
        share = 1 - float(other["line"].min())
        assert 0.7 <= share <= 1 and one["line"].min() == 0
        torch.testing.assert_close(other["line"], one["line"] * share + 1 - share)
        shares.add(round(share, 3))
    assert len(shares) > 3


def test_monochrome_pages_stand_beside_other_colours() -> None:
    source = GeneratedPictures("page", 3, size=64)
    black = MangaDataset(Monochrome(source), 64, scales=(2,))
    assert "color" not in black[0] and (black[0]["hint"] == 0).all()
    sample = MonochromeDataset(black, MangaDataset(source, 64, scales=(2,)))[0]
    assert sample["color"].shape == (3, 64, 64) and sample["line"].shape == (1, 64, 64)
