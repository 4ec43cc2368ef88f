"""Runs of several stages: what follows what, on which base, and what a card says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from training.cli import main
from training.engine import checkpoint

COMMON = [
    "data.size=64", "data.count=4", "data.workers=0", "train.steps=1", "train.batch=2",
    "eval.limit=2", "eval.pictures=0", "eval.metrics=[mse]", "critic.width=4",
    "loss.perceptual=0",
]  # fmt: skip
VIDEO = [
    "model.width=4", "model.blocks=1", "refine.steps=1", "refine.batch=2",
    "refine.model.width=4", "refine.critic_width=4", "finetune.steps=1",
    "finetune.refine_steps=1", "loss.style=0",
]  # fmt: skip
MANGA = [
    "model.width=8", "model.extractor_width=8", "finetune.steps=1", "data.denoise=false",
    "loss.features=none",
]  # fmt: skip
OWN = {"video": VIDEO, "manga": MANGA}
UNFINISHED = ("train.steps=1000000", "train.max_seconds=0.001")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


def train(run: Path, *settings: str, paper: str = "video", more: tuple[str, ...] = ()) -> int:
    chosen = [part for one in (*COMMON, *OWN[paper], *settings) for part in ("--set", one)]
    return main(["train", paper, "-o", str(run), "--device", "cpu", "--quiet", *more, *chosen])


def resume(run: Path, *settings: str, paper: str = "video") -> int:
    return train(run, *settings, paper=paper, more=("--resume",))


def state_of(folder: Path) -> dict[str, Any]:
    return checkpoint.load(folder / checkpoint.NAME)


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def evaluation_of(run: Path) -> dict[str, Any]:
    assert main(["evaluate", str(run), "--device", "cpu"]) == 0
    facts: dict[str, Any] = json.loads((run / "evaluation.json").read_text())
    return facts


@pytest.mark.parametrize(("paper", "stage"), [("video", "refine"), ("manga", "finetune")])
def test_a_later_stage_follows_a_base_that_went_on(
    paper: str, stage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert train(tmp_path, paper=paper) == 0
    assert state_of(tmp_path / stage)["base"]["step"] == 1
    assert resume(tmp_path, "train.steps=2", paper=paper) == 0
    (line,) = [text for text in caplog.messages if "trained anew" in text]
    assert str(tmp_path / stage) in line and "step 1" in line and "step 2" in line
    base, later = state_of(tmp_path), state_of(tmp_path / stage)
    assert later["step"] == 1
    assert (later["base"]["stage"], later["base"]["step"]) == ("main", 2)
    if stage == "refine":
        assert same(base["networks"]["generator"], later["networks"]["generator"])


def test_a_later_stage_goes_on_where_its_base_is_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert train(tmp_path) == 0
    before = state_of(tmp_path / "refine")["networks"]["refiner"]
    assert resume(tmp_path) == 0
    assert same(before, state_of(tmp_path / "refine")["networks"]["refiner"])
    assert resume(tmp_path, "refine.steps=2") == 0
    assert state_of(tmp_path / "refine")["step"] == 2
    assert "trained anew" not in caplog.text


def test_a_base_stopped_by_time_gets_no_later_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, *UNFINISHED) == 0
    told = capsys.readouterr().err
    assert "of 1000000: go on with --resume" in told and told.count("\n") == 1
    assert not (tmp_path / "refine").exists()


def test_what_is_taken_of_a_run_is_of_its_newest_base(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path) == 0
    assert evaluation_of(tmp_path)["degraded"] == []
    assert resume(tmp_path, *UNFINISHED) == 0
    capsys.readouterr()
    facts = evaluation_of(tmp_path)
    assert [line for line in facts["degraded"] if line.startswith("refinement=none")]
    told = capsys.readouterr().err
    assert str(tmp_path / "refine") in told and "is left out" in told


def test_a_refinement_that_was_not_trained_is_never_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train(run, *UNFINISHED) == 0
    (line,) = evaluation_of(run)["degraded"]
    assert line.startswith("refinement=none") and str(run / checkpoint.NAME) in line
    capsys.readouterr()
    tuned = ["finetune", str(run), "--device", "cpu", "--quiet", "-o"]
    assert main([*tuned, str(tmp_path / "refused")]) == 1
    told = capsys.readouterr().err
    assert "holds no trained refinement" in told and "refine.enabled=false" in told
    assert told.count("\n") == 1
    enough = ["--set", "train.max_seconds=0"]
    assert main([*tuned, str(tmp_path / "without"), "--set", "refine.enabled=false", *enough]) == 0
    keys = tmp_path / "keys"
    assert main([*tuned, str(keys), "--set", "finetune.keys=3", *enough]) == 0
    state = state_of(keys)
    assert "refiner" not in state["networks"] and "refiner" not in state["metadata"]["exports"]
    assert [one for one in state["metadata"]["degraded"] if one.startswith("refinement=none")]
    assert [one for one in evaluation_of(keys)["degraded"] if one.startswith("refinement=none")]


def test_a_tuned_folder_inside_its_run_goes_on(tmp_path: Path) -> None:
    assert train(tmp_path) == 0
    call = ["finetune", str(tmp_path), "-o", str(tmp_path / "finetune"), "--device", "cpu"]
    assert main([*call, "--quiet"]) == 0
    before = state_of(tmp_path / "finetune")
    assert before["base"]["stage"] == "refine"
    assert main([*call, "--quiet", "--resume"]) == 0
    after = state_of(tmp_path / "finetune")
    assert after["base"] == before["base"]
    assert same(before["networks"]["generator"], after["networks"]["generator"])


def test_a_card_names_every_stage_and_what_was_measured(tmp_path: Path) -> None:
    run, weights = tmp_path / "run", tmp_path / "video.safetensors"
    assert train(run, "train.steps=2") == 0
    assert main(["export", str(run), "-o", str(weights)]) == 0
    assert "Not evaluated yet" in weights.with_suffix(".md").read_text()
    evaluation_of(run)
    assert main(["export", str(run), "-o", str(weights)]) == 0
    card = weights.with_suffix(".md").read_text()
    assert "| mse |" in card
    assert "Trained for 2 steps (main, batch 2), then 1 step (refine, batch 2), seed 0" in card
    shelf = tmp_path / "shelf"
    said = ["--licence", "CC0", "--data", "A by B", "--command", "nuri-train train video"]
    assert main(["ship", str(run), "--id", "video", "--into", str(shelf), *said]) == 0
    shipped = (shelf / "video.md").read_text()
    assert "- steps: 1\n" in shipped and "- earlier stages: 2 steps of main\n" in shipped
