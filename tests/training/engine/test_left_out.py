"""Pictures that turn out damaged during a run are named in run.json."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import procedural
from training.engine import Trainer, read_run

from .damaged import recipe_of_drawings


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five drawings; the second and the fourth are cut off in the middle."""
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    for index in range(5):
        toon = procedural.toon(index, 32)
        for name, array in (("color", toon.paint), ("line", toon.drawing)):
            path = folder / name / f"d{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(array)).save(path)
    for name in ("d1", "d3"):
        path = folder / "color" / f"{name}.png"
        path.write_bytes(path.read_bytes()[:100])
    return folder


def left_out(run: Path) -> list[str]:
    """The names of the files that run.json has, each of which has a reason."""
    lines = read_run(run)["left_out"]
    assert all("cannot be read" in line for line in lines)
    return [name for line in lines for name in ("d1.png", "d3.png") if name in line]


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # of few cores
@pytest.mark.parametrize("workers", [0, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_run_json_names_what_was_left_out(workers: int, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fitted = Trainer(recipe_of_drawings(data, workers), run, device="cpu", quiet=True).fit()
    assert fitted.steps == 12 and left_out(run) == ["d1.png", "d3.png"]


def test_a_resumed_run_keeps_what_the_first_part_found(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    Trainer(recipe_of_drawings(data), run, device="cpu", quiet=True).fit()
    for name in ("d1", "d3"):
        whole = (data / "color" / "d0.png").read_bytes()
        (data / "color" / f"{name}.png").write_bytes(whole)
    Trainer(recipe_of_drawings(data, steps=18), run, device="cpu", quiet=True).fit(resume=True)
    assert read_run(run)["step"] == 18 and left_out(run) == ["d1.png", "d3.png"]


@pytest.mark.slow
def test_what_other_processes_of_torchrun_find_is_named_too(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        "-m", "tests.training.engine.damaged", str(run), str(data),
    ]  # fmt: skip
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert left_out(run) == ["d1.png", "d3.png"]
