"""Clips of shots: frames, references and targets, windows, hue."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.data.shot_sources import GeneratedShots

from .made import shots, within


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


def test_hue_shift_turns_the_colours_alone() -> None:
    plain, turned = shots(mode="shot")[0], shots(mode="shot", hue_shift=180)[0]
    assert torch.equal(plain["line"], turned["line"])
    assert (plain["color"] - turned["color"]).abs().mean() > 0.02
    brightest = (plain["color"].amax(1) - turned["color"].amax(1)).abs().max()
    assert brightest < 2.5 / 255  # HSV value stays
