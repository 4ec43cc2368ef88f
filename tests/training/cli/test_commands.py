"""The commands one after the other, on generated drawings and small networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from backend.models import architectures
from training.cli import main

SMALL = [
    "--set", "model.width=2", "--set", "critic.width=4", "--set", "data.size=64",
    "--set", "data.count=4", "--set", "data.workers=0", "--set", "train.batch=2",
    "--set", "eval.limit=2", "--device", "cpu",
]  # fmt: skip


SAID = ["--licence", "CC0-1.0", "--data", "A by B", "--command", "nuri-train train x"]


def train(run: Path, steps: int, *more: str) -> int:
    return main(
        ["train", "aaldc/sga", "-o", str(run), "--set", f"train.steps={steps}", *SMALL, *more]
    )


def test_train_resume_evaluate_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, weights = tmp_path / "run", tmp_path / "model.safetensors"
    assert train(run, 1) == 0
    assert "step 1/1" in capsys.readouterr().out
    assert train(run, 2) == 1
    assert "add --resume" in capsys.readouterr().err
    assert train(run, 2, "--resume") == 0
    assert main(["evaluate", str(run), "--json", "--device", "cpu"]) == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["count"] == 2 and facts["metrics"]["psnr"] > 0
    assert {"degraded", "pretrained"} <= facts.keys()
    assert facts["weights"]["step"] == 2
    assert json.loads((run / "evaluation.json").read_text()) == facts
    assert main(["export", str(run), "-o", str(weights)]) == 0
    model = architectures.load_model(weights)
    output = model(torch.zeros(1, 1, 32, 32), torch.zeros(1, 3, 32, 32))
    assert output.main.shape == (1, 3, 32, 32)
    card = weights.with_suffix(".md").read_text()
    assert "`aaldc/sga`" in card and "Trained for 2 steps" in card and "| psnr |" in card
    assert train(run, 3, "--resume") == 0
    assert main(["export", str(run), "-o", str(weights)]) == 0
    card = weights.with_suffix(".md").read_text()
    assert "Not evaluated since it was trained further" in card and "| psnr |" not in card
    capsys.readouterr()
    assert main(["ship", str(run), "--id", "x", "--into", str(tmp_path / "w"), *SAID]) == 1
    assert "was measured before the run was trained further" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()
    assert main(["export", str(run), "-o", str(weights), "--network", "critic"]) == 1
    assert "exports no critic: use one of generator" in capsys.readouterr().err


def test_another_width_names_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, 1, "--quiet") == 0
    capsys.readouterr()
    assert train(tmp_path, 2, "--resume", "--set", "model.width=3") == 1
    assert "model.width = 2 there, 3 here" in capsys.readouterr().err


def test_prepare_counts_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "data.size=64", "--set", "data.count=4"]
    assert main(["prepare", "aaldc", *settings]) == 0
    assert "train: 4 samples are good" in capsys.readouterr().out


def test_aaldc_has_no_fine_tuning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path / "run", 1, "--quiet") == 0
    assert main(["finetune", str(tmp_path / "run"), "-o", str(tmp_path / "tuned")]) == 1
    assert "aaldc has no fine-tuning procedure" in capsys.readouterr().err
