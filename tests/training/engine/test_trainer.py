"""Runs: what they leave behind, and how they stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from training.engine import Recipe, Trainer, checkpoint, read_run
from training.engine.trainer import Fitted
from training.errors import TrainingError

from .tiny import TinyTask, tiny_recipe


def fit(recipe: Recipe, folder: Path) -> Fitted:
    return Trainer(recipe, folder, device="cpu", quiet=True).fit()


def only_task(recipe: Recipe) -> TinyTask:
    task = recipe.tracks[0].task
    assert isinstance(task, TinyTask)
    return task


def test_the_run_folder_tells_what_was_run(tmp_path: Path) -> None:
    recipe = tiny_recipe(sample_every=6)
    recipe.degraded.append("perceptual=none: vgg19 weights absent")
    fit(recipe, tmp_path)
    facts = read_run(tmp_path)
    assert facts["finished"] and facts["step"] == 12
    assert facts["config"]["model"] == {"name": "tiny", "width": 4}
    assert facts["degraded"] == ["perceptual=none: vgg19 weights absent"]
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["parameters"]["generator"] > 0
    assert list((tmp_path / "tensorboard").glob("events.*"))
    with Image.open(tmp_path / "pictures" / "0000006.png") as picture:
        assert picture.size == (2 * 8 + 2, 4 * 8 + 3 * 2)


def test_logged_terms_come_weighted_and_raw(tmp_path: Path) -> None:
    fit(tiny_recipe(), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    last = lines[-1]
    assert last["g/pixel"] == pytest.approx(10 * last["g/pixel_raw"])
    assert last["g/total"] == pytest.approx(last["g/pixel"] + last["g/adv"])
    assert last["d/total"] == pytest.approx(last["d/real"] + last["d/fake"])
    assert (lines[5]["lr/generator"], lines[6]["lr/generator"]) == (1e-2, 1e-3)
    assert last["epoch"] == pytest.approx(12 * 3 / 7)


def test_a_loss_that_is_no_number_stops_at_the_last_good_checkpoint(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    only_task(recipe).spoiled_after = 6
    with pytest.raises(TrainingError, match=r"g/pixel is not a number in step 6; .*checkpoint\.pt"):
        fit(recipe, tmp_path)
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 4
    assert all(torch.isfinite(p).all() for p in recipe.networks["generator"].parameters())
    assert not read_run(tmp_path)["finished"]


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    recipe = tiny_recipe("G", steps=8)
    trainer = Trainer(recipe, tmp_path, device="cpu", quiet=True)
    trainer.fit()
    with torch.no_grad():
        next(recipe.networks["generator"].parameters()).fill_(float("inf"))
    with pytest.raises(TrainingError, match="weights are not numbers"):
        trainer._save()
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 8


def test_the_average_lags_behind_the_weights(tmp_path: Path) -> None:
    recipe = tiny_recipe("G", steps=1, ema=0.75)
    before = [p.detach().clone() for p in recipe.networks["generator"].parameters()]
    fit(recipe, tmp_path)
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    names = [name for name, _ in recipe.networks["generator"].named_parameters()]
    for name, old in zip(names, before, strict=True):
        expected = 0.75 * old + 0.25 * state["networks"]["generator"][name]
        torch.testing.assert_close(state["average"]["generator"][name], expected)


def test_a_time_limit_stops_with_a_checkpoint(tmp_path: Path) -> None:
    recipe = tiny_recipe(steps=1000, max_seconds=0.2, checkpoint_every=0)
    only_task(recipe).seconds = 0.02
    fitted = fit(recipe, tmp_path)
    assert fitted.stopped == "time" and 0 < fitted.steps < 1000
    assert checkpoint.load(fitted.checkpoint)["step"] == fitted.steps


def test_an_interruption_leaves_a_checkpoint(tmp_path: Path) -> None:
    recipe = tiny_recipe(steps=100_000, checkpoint_every=0)
    only_task(recipe).interrupted_in = 3  # by when the run listens for it
    fitted = fit(recipe, tmp_path)
    assert fitted.stopped == "interrupted"
    assert checkpoint.load(fitted.checkpoint)["step"] == fitted.steps == 3


def test_bf16_with_channels_last_runs(tmp_path: Path) -> None:
    recipe = tiny_recipe(precision="bf16", channels_last=True)
    fit(recipe, tmp_path)
    weight = next(recipe.networks["generator"].parameters())
    assert weight.dtype == torch.float32


def test_an_unknown_precision_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"train\.precision is 'fp8': use fp32 or bf16"):
        fit(tiny_recipe(precision="fp8"), tmp_path)


def test_a_pipe_gets_plain_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Trainer(tiny_recipe(), tmp_path, device="cpu").fit()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("tiny main: step 12/12")
    assert "samples/s" in lines[-1] and "left" in lines[-1] and "g/total" in lines[-1]


@pytest.mark.slow
def test_the_processes_of_torchrun_share_one_run(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        "-m", "tests.training.engine.tiny", str(tmp_path), "G", "0", "0",
    ]  # fmt: skip
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 40
    assert read_run(tmp_path)["device"] == "2 x cpu"
