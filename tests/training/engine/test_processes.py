"""The processes of a run take the same steps, or say that they cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.engine import Trainer, checkpoint

from .tiny import tiny_recipe

pytestmark = pytest.mark.slow


def run_two(kind: str, folder: Path) -> tuple[int, str]:
    """Exit code and standard error of two processes that torchrun starts."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        "-m", "tests.training.engine.apart", kind, str(folder),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        told = process.communicate(timeout=120)[1]
    except subprocess.TimeoutExpired:
        process.terminate()  # torchrun ends its processes, which killing it would leave alone
        process.communicate()
        pytest.fail("the processes wait for each other")
    return process.returncode, told


def test_a_late_process_takes_part_in_the_first_checkpoint(tmp_path: Path) -> None:
    code, told = run_two("late", tmp_path)
    assert code == 0, told
    assert checkpoint.load(tmp_path / checkpoint.NAME)["step"] == 6


@pytest.mark.parametrize(
    ("steps", "words"),
    [(2, "the processes of this run are at different steps (2, 4)"), (0, "there is no checkpoint")],
)
def test_processes_that_differ_do_not_train(steps: int, words: str, tmp_path: Path) -> None:
    Trainer(tiny_recipe("G", steps=4), tmp_path, device="cpu", quiet=True).fit()
    if steps:
        other = tmp_path / "1"
        Trainer(tiny_recipe("G", steps=steps), other, device="cpu", quiet=True).fit()
    code, told = run_two("other", tmp_path)
    assert code != 0
    assert words in told
    assert checkpoint.load(tmp_path / checkpoint.NAME)["step"] == 4
