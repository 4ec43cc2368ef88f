"""Clips of shots: frames, references and targets, windows, hue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.data import open_dataset, procedural
from training.data.shot_sources import GeneratedShots

from .conftest import save
from .made import shots, within

SERIES = {"count": 2, "seed": 0, "clip": 8, "shot_threshold": 0.0}


@pytest.mark.parametrize("mode", ["window", "frame", "shot"])
def test_clips(mode: str) -> None:
    dataset = shots(mode=mode, references=3)
    sample = dataset[0]
    frames = sample["line"].shape[0]
    assert frames == (8 if mode != "shot" else dataset.source.length(0))
    assert sample["line"].shape == sample["distance"].shape == (frames, 1, 32, 32)
    assert sample["color"].shape == (frames, 3, 32, 32)
    assert within(sample["distance"], -1, 1) and sample["distance"].max() == 1
    assert sample["reference_frames"].tolist()[0] == 0
    assert sample["reference_frames"].tolist()[-1] == frames - 1
    assert torch.equal(sample["reference_color"][2], sample["color"][-1])
    assert 0 < int(sample["target"]) < frames - 1
    assert sample["regions"].shape == (frames, 32, 32)


def test_every_inner_frame_is_a_target_once() -> None:
    dataset = shots(mode="frame")
    lengths = [dataset.source.length(shot) for shot in range(2)]
    assert len(dataset) == sum(length - 2 for length in lengths)
    for epoch in range(3):
        for index in range(len(dataset)):
            frames, target = dataset._choose(*dataset._places[index], np.random.default_rng(epoch))
            assert frames[target] == dataset._places[index][1] and 0 < target < 7


def test_generated_shots_have_8_to_40_frames() -> None:
    source = GeneratedShots(300, size=32, shortest=3)
    lengths = {source.length(shot) for shot in range(300)}
    assert min(lengths) == 8 and max(lengths) == 40 and len(lengths) > 25
    longer = GeneratedShots(20, size=32, shortest=50)
    assert {longer.length(shot) for shot in range(20)} == {50}


def test_windows_cover_the_shot() -> None:
    dataset = shots(mode="window")
    seen = {(shot, start + n) for shot, start in dataset._places for n in range(8)}
    assert seen == {(s, f) for s in range(2) for f in range(dataset.source.length(s))}


@pytest.fixture
def twice(tmp_path: Path) -> list[Path]:
    """A series of frames without lines, and the same with every pixel four times."""
    frames = procedural.film(0, 96, scenes=1)[0][:9]
    places = [tmp_path / name / "s1" for name in ("once", "twice")]
    for number, frame in enumerate(frames):
        color = frame.paint[:72]
        save(places[0] / f"{number}.png", color)
        save(places[1] / f"{number}.png", color.repeat(2, 0).repeat(2, 1))
    return [place.parent for place in places]


@pytest.mark.parametrize("lines", ["file", "xdog", "learned"])
def test_films_are_drawn_at_the_size_of_training(twice: list[Path], lines: str) -> None:
    settings = {**SERIES, "size": 64, "lines": lines}
    one, two = (open_dataset("shots", settings, folder, "train")[0]["line"] for folder in twice)
    assert one.min() < 0 and (one - two).abs().mean() < 0.002


@pytest.mark.parametrize("split", ["train", "finetune", "test"])
def test_half_of_the_samples_of_training_are_mirrored_where_asked_for(split: str) -> None:
    def samples(**settings: object) -> list[dict[str, torch.Tensor]]:
        data = open_dataset("shots", {**SERIES, "size": 32, **settings}, None, split)
        return [data[(epoch, 0)] for epoch in range(8)]

    names = ("line", "distance", "color", "regions")
    mirrored = []
    for plain, other in zip(samples(), samples(flip=True), strict=True):
        same = all(torch.equal(plain[name], other[name]) for name in names)
        assert same or all(torch.equal(plain[name].flip(-1), other[name]) for name in names)
        mirrored.append(not same)
    assert any(mirrored) != (split == "test") and not all(mirrored)
