"""`nuri-train finetune` of video on new data: which shots it takes, and for how many steps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from training.cli import main

from .test_stages import COMMON, VIDEO

Tune = Callable[..., tuple[int, list[str]]]
STEPS = ["finetune.steps=1", "finetune.refine_steps=1"]
SMALL = [setting for setting in (*COMMON, *VIDEO) if setting not in STEPS] + ["data.clip=4"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A series of six shots of five frames, each with three inner frames and two windows."""
    for shot in range(6):
        folder = tmp_path / "new" / f"s{shot}"
        folder.mkdir(parents=True)
        for frame in range(5):
            paint = Image.new("RGB", (8, 8), (40 * shot, 50 * frame, 90))
            paint.save(folder / f"color_{frame}.png")
            paint.convert("L").save(folder / f"line_{frame}.png")
    return tmp_path / "new"


def call(*words: str | Path, settings: list[str]) -> int:
    chosen = [part for one in settings for part in ("--set", one)]
    return main([*map(str, words), "--device", "cpu", "--quiet", *chosen])


def train(run: Path, *settings: str) -> None:
    assert call("train", "video", "-o", run, settings=[*SMALL, *settings]) == 0


@pytest.fixture
def tune(capsys: pytest.CaptureFixture[str]) -> Tune:
    """Begins to tune a run; how many steps it would take, and what it notes of its shots."""

    def begin(run: Path, data: Path, *settings: str) -> tuple[int, list[str]]:
        place = run.with_name(f"{run.name}-tuned")
        common = ["train.batch=6", "refine.batch=4", "train.max_seconds=0.001"]
        words = ("finetune", run, "--data", data, "-o", place)
        capsys.readouterr()
        assert call(*words, settings=[*common, *settings]) == 0
        (steps,) = re.findall(r"stopped after step 1 of (\d+)", capsys.readouterr().err)
        facts: dict[str, Any] = json.loads((place / "run.json").read_text())
        notes = [line for line in facts["degraded"] if line.startswith("finetune.shots")]
        return int(steps), notes

    return begin


@pytest.mark.parametrize(
    ("settings", "steps", "notes"),
    [
        # ten epochs of 18 frames, three of 12 windows
        ([], 10 * 3 + 3 * 3, ["finetune.shots=6: 32 asked, 6 found"]),
        (["finetune.shots=4"], 10 * 2 + 3 * 2, []),
        (["finetune.shots=4", "finetune.steps=5"], 5 + 3 * 2, []),
        (["finetune.shots=4", "finetune.steps=5", "finetune.refine_steps=0"], 5, []),
        (["finetune.shots=4", "finetune.steps=2160", "finetune.refine_steps=81"], 2241, []),
    ],
)
def test_new_data_are_seen_for_epochs_unless_steps_are_given(
    tmp_path: Path, new: Path, tune: Tune, settings: list[str], steps: int, notes: list[str]
) -> None:
    train(tmp_path / "run")
    assert tune(tmp_path / "run", new, *settings) == (steps, notes)


def test_of_a_run_with_shots_of_its_own_the_steps_stay(
    tmp_path: Path, new: Path, tune: Tune
) -> None:
    """But the new data is no half of what it was trained on."""
    train(tmp_path / "run", "finetune.shots=2", *STEPS)
    assert tune(tmp_path / "run", new, "finetune.shots=6") == (2, [])


def test_what_was_tuned_is_tuned_on_by_the_epochs_of_the_next_data(
    tmp_path: Path, new: Path, tune: Tune
) -> None:
    train(tmp_path / "run")
    assert tune(tmp_path / "run", new, "finetune.shots=1")[0] == 10 + 3
    assert tune(tmp_path / "run-tuned", new, "finetune.shots=3")[0] == 10 * 2 + 3 * 2


def test_it_cannot_be_switched_off(
    tmp_path: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path / "run")
    capsys.readouterr()
    words = ("finetune", tmp_path / "run", "--data", new, "-o", tmp_path / "tuned")
    assert call(*words, settings=["finetune.shots=0"]) == 1
    told = capsys.readouterr().err
    assert "--set switches fine-tuning off" in told and told.count("\n") == 1
    assert call(*words, settings=["finetune.steps=-2"]) == 1
    told = capsys.readouterr().err
    assert "finetune.steps is -2: use at least -1" in told and told.count("\n") == 1
