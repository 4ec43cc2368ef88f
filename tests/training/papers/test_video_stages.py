"""Stages and protocols of the video paper on data of one's own: shots, windows, key frames, ATD."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training import papers, presets
from training.data.keys import KeyFrameDataset
from training.engine import Trainer, checkpoint
from training.papers import sources, video
from training.papers.video_tuning import steps_of

from .test_recipes import small


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


def save(path: Path, tone: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(tone).integers(0, 255, (4, 4, 3), np.uint8)
    Image.fromarray(picture).resize((48, 32), Image.Resampling.BICUBIC).save(path)


def shots(folder: Path, count: int, frames: int = 9) -> Path:
    for shot in range(count):
        for frame in range(frames):
            save(folder / f"s{shot}" / f"color_{frame:04d}.png", 20 * shot + frame)
    return folder


def test_fine_tuning_takes_as_many_shots_as_it_is_told(tmp_path: Path) -> None:
    data = shots(tmp_path / "a", 8)

    def labels(count: int, split: str) -> set[str]:
        config = small("video", f"finetune.shots={count}", "finetune.keys=0")
        source = sources.samples(config, data, split).source
        return {source.label(i) for i in range(len(source))}

    trained = labels(2, "train")
    assert len(trained) == 4
    for count in (1, 2, 3):
        tuned, tested = labels(count, "finetune"), labels(count, "test")
        assert len(tuned) == count and len(tested) == 4 - count
        assert not trained & tuned and not tuned & tested and not tested & trained


def test_the_command_tunes_on_new_data_of_the_same_name(tmp_path: Path) -> None:
    config = video.with_finetuning(small("video"))
    source = sources.samples(config, shots(tmp_path / "a", 3), "finetune").source
    assert len(source) == 3


def test_key_frames_are_too_few_to_be_learned_in_epochs() -> None:
    config = presets.parse("video", ["finetune.steps=-1"]).as_config()
    assert steps_of(config, "finetune", "train", 3) == 10
    config["finetune"]["keys"] = 3
    assert steps_of(config, "finetune", "train", 3) == 2160


def test_the_refinement_sees_every_window_once(tmp_path: Path) -> None:
    data = shots(tmp_path / "a", 4, 16)
    config = small("video", "data.clip=8")
    main = papers.build(config, data)
    base = Trainer(main, tmp_path / "main", device="cpu", quiet=True).fit().checkpoint
    (track,) = papers.build(config, data, "refine", base).tracks
    assert len(track.dataset) == 2 * 2 and len(main.tracks[0].dataset) == 2 * 14
    first = [track.dataset[(epoch, 0)]["color"] for epoch in range(3)]
    assert torch.equal(first[0], first[1]) and torch.equal(first[0], first[2])


def test_key_frames_alone_teach_the_transform_network_alone(tmp_path: Path) -> None:
    config = small("video", "finetune.shots=2", "finetune.keys=3", "finetune.steps=2")
    base = None
    for stage in papers.stages(config):
        recipe = papers.build(config, None, stage, base)
        base = Trainer(recipe, tmp_path / stage, device="cpu", quiet=True).fit().checkpoint
    (track,) = recipe.tracks
    assert isinstance(track.dataset, KeyFrameDataset) and len(track.dataset) == 6
    before, after = (
        checkpoint.load(tmp_path / stage / checkpoint.NAME)["networks"]
        for stage in ("refine", "finetune")
    )
    for name, changes in (("generator", True), ("refiner", False)):
        pairs = [(before[name][key], after[name][key]) for key in before[name]]
        assert all(torch.equal(*pair) for pair in pairs) != changes
    result = papers.evaluate(config, None, base, tmp_path / "out", "cpu")
    assert result.metrics["mse"] is not None


@pytest.mark.parametrize("row", ["atd_8_hue_90", "inbetween"])
def test_atd_12k_is_trained_and_measured_by_triplets(row: str, tmp_path: Path) -> None:
    data = tmp_path / "data" / "atd12k"
    for part, count in (("train_10k", 3), ("test_2k_540p", 42)):
        for number in range(count):
            for frame in (1, 2, 3):
                path = data / part / f"Disney_{number}" / f"frame{frame}.png"
                save(path, 30 * number + frame)
    config = small(f"video/{row}", "eval.limit=0")
    recipe = papers.build(config, tmp_path / "data")
    assert len(recipe.tracks[0].dataset) == 3
    result = papers.evaluate(config, tmp_path / "data", None, tmp_path / "out", "cpu")
    # what any row of the table may be fine-tuned with is measured in none of them
    assert result.count == (2 if row == "atd_8_hue_90" else 42)


def test_fine_tuning_goes_on_with_the_critics(tmp_path: Path) -> None:
    config = small("video", "finetune.shots=2", "finetune.keys=0")
    bases: list[Path | None] = [None]
    for stage in ("main", "refine"):
        recipe = papers.build(config, None, stage, bases[-1])
        trainer = Trainer(recipe, tmp_path / stage, device="cpu", quiet=True)
        bases.append(trainer.fit().checkpoint)
    _, main, refined = bases
    assert main is not None and refined is not None
    trained = checkpoint.load(main)["networks"]["critic"]
    recipe = papers.build(config, None, "finetune", refined)
    began = recipe.networks["critic"].state_dict()
    assert all(torch.equal(trained[name], began[name]) for name in trained)
    assert not [line for line in recipe.degraded if "untrained" in line]

    state = checkpoint.load(refined)
    del state["networks"]["critic"]
    checkpoint.save(refined, state)
    recipe = papers.build(config, None, "finetune", refined)
    (line,) = [line for line in recipe.degraded if "untrained" in line]
    assert line.startswith("critic=untrained") and str(refined) in line


def test_a_refinement_of_no_steps_is_not_measured(tmp_path: Path) -> None:
    config, base = small("video", "refine.steps=0"), None
    for stage in papers.stages(config):
        recipe = papers.build(config, None, stage, base)
        base = Trainer(recipe, tmp_path / stage, device="cpu", quiet=True).fit().checkpoint
    result = papers.evaluate(config, None, base, tmp_path / "out", "cpu")
    assert [line for line in result.degraded if line.startswith("refinement=none")]


def test_rates_decay_in_every_stage(tmp_path: Path) -> None:
    config = small(
        "video", "optim.decay_at=0.5", "optim.decay_factor=0.1", "train.steps=4",
        "refine.steps=6", "finetune.steps=8", "finetune.refine_steps=4", "finetune.shots=2",
        "finetune.keys=0",
    )  # fmt: skip
    expected = {
        "main": {"generator": 2, "critic": 2},
        "refine": {"refiner": 3, "temporal_critic": 3},
        "finetune": {"generator": 4, "critic": 4, "refiner": 10, "temporal_critic": 10},
    }
    base = None
    for stage, starts in expected.items():
        recipe = papers.build(config, None, stage, base)
        assert recipe.optimisers.keys() == starts.keys()
        for name, start in starts.items():
            rate = recipe.optimisers[name].rate
            assert rate.at(start - 1) == rate.base
            assert rate.at(start) == pytest.approx(0.1 * rate.base)
        if stage != "finetune":
            base = Trainer(recipe, tmp_path / stage, device="cpu", quiet=True).fit().checkpoint
    rates = papers.build(small("video"), None).optimisers["generator"].rate
    assert rates.at(10**6) == rates.base
