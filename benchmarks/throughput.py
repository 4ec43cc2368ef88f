"""Samples per second of training, for presets at their full width, in fp32 and in bf16."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from training import papers, presets
from training.engine import Trainer


@dataclass(frozen=True)
class Trained:
    """Samples per second of a preset; ``steps`` were done in the time given."""

    preset: str
    precision: str
    batch: int
    steps: int
    samples_per_second: float


def measure_training(names: list[str], seconds: float) -> list[Trained]:
    """Train each preset for ``seconds`` on generated drawings; without names, each paper's own."""
    rows = []
    for name in names or [f"{paper}/default" for paper in presets.papers()]:
        for precision in ("fp32", "bf16"):
            settings = [f"train.precision={precision}", f"train.max_seconds={seconds}"]
            settings += ["data.count=8", "train.batch=2", "train.log_every=1"]
            preset = presets.parse(name, settings)
            with tempfile.TemporaryDirectory(prefix="nuri-") as folder:
                recipe = papers.build(preset.as_config(), None)
                fitted = Trainer(recipe, Path(folder) / "run", device="cpu", quiet=True).fit()
            row = Trained(name, precision, 2, fitted.steps, fitted.samples_per_second)
            rows.append(row)
    return rows


def show_training(rows: list[Trained]) -> None:
    """The table."""
    table = Table(title="training, samples per second")
    for name in ("preset", "precision", "batch", "steps", "samples/s"):
        table.add_column(name, justify="left" if name in ("preset", "precision") else "right")
    for row in rows:
        speed = f"{row.samples_per_second:.3f}"
        table.add_row(row.preset, row.precision, str(row.batch), str(row.steps), speed)
    Console().print(table)
