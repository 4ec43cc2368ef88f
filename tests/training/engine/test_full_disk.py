"""A disk that fills up during a run: one line says so, and the last checkpoint is whole."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.backend.disks import full_disk, needs_mounts
from training.engine import Trainer, checkpoint
from training.engine.board import Board
from training.errors import TrainingError

from .tiny import tiny_recipe


@needs_mounts
def test_a_run_stops_with_the_previous_checkpoint(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk", kilobytes=256) as disk:
        recipe = tiny_recipe(width=600, steps=2000, checkpoint_every=5)
        with pytest.raises(TrainingError, match="no space left on device"):
            Trainer(recipe, disk / "run", device="cpu", quiet=True).fit()
        state = checkpoint.load(disk / "run" / "checkpoint.pt")
        assert state["step"] % 5 == 0
        left = {path.name for path in (disk / "run").iterdir()}
        assert left == {"checkpoint.pt", "metrics.jsonl", "run.json", "pictures", "tensorboard"}


def fill(board: Board) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for step in range(1000):
        board.picture(step, noise)


@needs_mounts
def test_tensorboard_tells_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.excepthook
    with full_disk(tmp_path / "disk", kilobytes=64) as disk:
        board = Board(disk / "tensorboard", 0)
        with pytest.raises(TrainingError, match=r"cannot write .*tensorboard \(no space left"):
            fill(board)
        board.close()
    assert threading.excepthook is before
    assert "Traceback" not in capfd.readouterr().err
