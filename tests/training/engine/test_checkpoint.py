"""Checkpoint files: whole or not at all, and without code in them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.backend.disks import full_disk, needs_mounts
from training.engine import checkpoint
from training.errors import TrainingError


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


@needs_mounts
def test_a_full_disk_leaves_the_previous_checkpoint_whole(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk", kilobytes=512) as disk:
        path = disk / "checkpoint.pt"
        checkpoint.save(path, {"step": 1, "weights": torch.ones(10_000)})
        with pytest.raises(TrainingError, match=r"no space left on device.*one is whole"):
            checkpoint.save(path, {"step": 2, "weights": torch.ones(1_000_000)})
        state = checkpoint.load(path)
        assert state["step"] == 1 and bool((state["weights"] == 1).all())
        assert [file.name for file in disk.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"format": 1, "weights": Harmful()}, path)
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        checkpoint.load(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps([1, 2])])
def test_other_files_are_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt"):
        checkpoint.load(path)


def test_a_cut_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"weights": torch.ones(10_000)})
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        checkpoint.load(path)


def test_no_checkpoint_says_train_first(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"there is no checkpoint .*: train first"):
        checkpoint.load(tmp_path / "checkpoint.pt")


def test_differences_are_listed_by_key() -> None:
    theirs = {"model": {"width": 16, "norm": "batch"}, "loss": {"pixel": 1}}
    ours = {"model": {"width": 32, "blocks": 4}, "loss": {"pixel": 2}}
    with pytest.raises(TrainingError) as raised:
        checkpoint.compare(Path("run.pt"), theirs, ours, ("model",))
    assert raised.value.message == (
        "run.pt is of another architecture (model.blocks = absent there, 4 here; "
        "model.norm = batch there, absent here; model.width = 16 there, 32 here)"
    )


def test_tensors_that_do_not_fit_are_named() -> None:
    with pytest.raises(TrainingError, match=r"weight is \(4, 2\) there, \(3, 2\) here"):
        checkpoint.load_network(
            Path("a.pt"), "generator", nn.Linear(2, 3), nn.Linear(2, 4).state_dict()
        )
