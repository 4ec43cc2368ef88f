"""A run that is killed goes on bit-exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from training.engine import Trainer, checkpoint, read_history
from training.errors import TrainingError

from .tiny import tiny_recipe

PROGRAM = [sys.executable, "-m", "tests.training.engine.tiny"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run_program(folder: Path, order: str, workers: int = 0) -> None:
    command = [*PROGRAM, str(folder), order, "0", str(workers)]
    subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)


def kill_program(folder: Path, order: str, at_step: int, workers: int = 0) -> None:
    """Start the program and kill it as soon as its log shows a step."""
    command = [*PROGRAM, str(folder), order, "0.05", str(workers)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    log = folder / "metrics.jsonl"
    while not log.exists() or log.read_text().count("\n") < at_step:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def assert_same(left: Any, right: Any, where: str = "") -> None:
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            assert_same(left[key], right[key], f"{where}.{key}")
    elif isinstance(left, list):
        for number, pair in enumerate(zip(left, right, strict=True)):
            assert_same(*pair, f"{where}[{number}]")
    else:
        assert left == right, where


@pytest.mark.slow
@pytest.mark.parametrize(("order", "workers"), [("GD", 1), ("alternate", 0), ("DG", 3)])
def test_a_killed_run_ends_in_the_same_bits(order: str, workers: int, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run_program(whole, order, workers)
    kill_program(cut, order, at_step=8, workers=workers)
    broken_off = checkpoint.load(cut / checkpoint.NAME)
    assert 0 < broken_off["step"] < 40
    kill_program(cut, order, at_step=20, workers=workers)
    run_program(cut, order, workers)
    assert_same(checkpoint.load(whole / checkpoint.NAME), checkpoint.load(cut / checkpoint.NAME))
    left, right = read_history(whole), read_history(cut)
    assert left["g/pixel"] == right["g/pixel"]
    assert [step for step, _ in right["epoch"]] == list(range(1, 41))


def test_a_run_is_not_overwritten_unasked(tmp_path: Path) -> None:
    Trainer(tiny_recipe(steps=2), tmp_path, device="cpu", quiet=True).fit()
    with pytest.raises(TrainingError, match="holds a run already: add --resume"):
        Trainer(tiny_recipe(steps=2), tmp_path, device="cpu", quiet=True).fit()


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    Trainer(tiny_recipe(steps=2), tmp_path, device="cpu", quiet=True).fit()
    fitted = Trainer(tiny_recipe(steps=5), tmp_path, device="cpu", quiet=True).fit(resume=True)
    assert fitted.steps == 5
    assert [step for step, _ in fitted.history["g/pixel"]] == [1, 2, 3, 4, 5]


def test_an_average_switched_on_late_begins_with_what_was_learnt(tmp_path: Path) -> None:
    Trainer(tiny_recipe(steps=4), tmp_path, device="cpu", quiet=True).fit()
    before = checkpoint.load(tmp_path / checkpoint.NAME)["networks"]["generator"]
    Trainer(tiny_recipe(steps=5, ema=0.75), tmp_path, device="cpu", quiet=True).fit(resume=True)
    state = checkpoint.load(tmp_path / checkpoint.NAME)
    after, average = state["networks"]["generator"], state["average"]["generator"]
    names = [name for name, _ in tiny_recipe().networks["generator"].named_parameters()]
    for name in names:
        torch.testing.assert_close(average[name], 0.75 * before[name] + 0.25 * after[name])
    assert torch.equal(average["1.running_mean"], after["1.running_mean"])


def test_resume_names_the_difference_of_two_architectures(tmp_path: Path) -> None:
    Trainer(tiny_recipe(steps=1), tmp_path, device="cpu", quiet=True).fit()
    other = Trainer(tiny_recipe(steps=1, width=8), tmp_path, device="cpu", quiet=True)
    with pytest.raises(TrainingError, match=r"architecture \(model\.width = 4 there, 8 here"):
        other.fit(resume=True)
