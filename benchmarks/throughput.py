"""Samples per second of training, for presets at the widths that ship, in fp32 and in bf16."""

from __future__ import annotations

import logging
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

import backend.weights
from backend.weights import manifest
from training import papers, presets
from training.engine import Trainer
from training.presets import Preset
from training.presets.configuration import flatten
from training.reproduce.plan import digest

# what of the command that trained shipped weights says how large a training is
WIDTHS = ("model.width", "model.extractor_width", "critic.width")
SIZES = (
    *WIDTHS, "model.blocks", "model.depth", "model.size", "data.size", "train.batch",
    "train.channels_last",
)  # fmt: skip
OF_A_STEP = ("model.", "critic.", "loss.", "references.count", "train.order")
MEASURED = {
    "train.scratch_steps": 0,
    "train.log_every": 1,
    "train.checkpoint_every": 0,
    "train.sample_every": 0,
    "data.count": 8,
}
WARM_UP = 1  # steps before the first rate that counts


@dataclass(frozen=True)
class Trained:
    """Samples per second of a preset's main stage: the median over the steps after `WARM_UP`.

    ``spread``: how far the quartiles of either precision lie from the median at most, as a share
    of it; much of it means that other work disturbed the measurement. ``without``: what a step
    lacks because weights are absent.
    """

    preset: str
    parameters: int
    side: int
    batch: int
    fp32: float
    bf16: float
    spread: float
    without: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times as many samples bf16 sees."""
        return self.bf16 / self.fp32


def measure_training(
    names: Sequence[str], steps: int, settings: Sequence[str] = ()
) -> list[Trained]:
    """Train presets for ``steps`` after the warm-up in each precision, on generated drawings.

    ``names`` are PAPER or PAPER/ROW; without any, every preset whose step is not that of another.
    ``settings`` (``key=value``) come last. Tells on standard error how far it is.
    """
    chosen = [presets.parse(name) for name in names] or every_step()
    rows = []
    logging.getLogger("nuri.training").setLevel(logging.ERROR)  # what a step lacks is in the rows
    began = time.monotonic()
    for number, preset in enumerate(chosen, 1):
        row = _trained(preset, steps, settings)
        rows.append(row)
        seconds = time.monotonic() - began
        left = seconds / number * (len(chosen) - number)
        print(
            f"{number} of {len(chosen)}, {row.preset}: fp32 {row.fp32:.3g}, bf16 {row.bf16:.3g} "
            f"samples/s (±{row.spread:.0%}); {seconds / 60:.1f} min, about {left / 60:.1f} left",
            file=sys.stderr,
        )
    return rows


def _trained(preset: Preset, steps: int, settings: Sequence[str]) -> Trained:
    own = flatten(preset.config)
    wanted = {**MEASURED, "train.steps": WARM_UP + steps}
    texts = [f"{key}={value}" for key, value in wanted.items() if key in own]
    sized = preset.with_settings([*shipped(preset), *texts])
    known = [text for text in settings if text.partition("=")[0] in own]
    sized = sized.with_settings(known)
    parameters, fp32, without = _measured(sized.with_settings(["train.precision=fp32"]))
    _, bf16, _ = _measured(sized.with_settings(["train.precision=bf16"]))
    return Trained(
        preset=f"{preset.paper}/{preset.row}",
        parameters=parameters,
        side=sized.config["data"]["size"],
        batch=sized.config["train"]["batch"],
        fp32=statistics.median(fp32),
        bf16=statistics.median(bf16),
        spread=max(_spread(fp32), _spread(bf16)),
        without=tuple(without),
    )


def every_step() -> list[Preset]:
    """The presets of all papers, one for each kind of step."""
    found: dict[str, Preset] = {}
    for paper in presets.papers():
        for row in presets.rows(paper):
            preset = presets.load(paper, row)
            leaves = flatten(preset.with_settings(shipped(preset)).config)
            step = {key: value for key, value in leaves.items() if key.startswith(OF_A_STEP)}
            found.setdefault(digest({"paper": paper, **step}), preset)
    return list(found.values())


def shipped(preset: Preset) -> list[str]:
    """Settings that give a preset the size of its paper's weights in the manifest.

    A network that does not ship is as narrow beside its full width as the paper's own.
    """
    entries = manifest.read(Path(backend.weights.__file__).parent)
    own = flatten(preset.config)
    name, full = str(own["model.name"]), flatten(presets.load(preset.paper).config)
    entry = entries.get(name) or entries[str(full["model.name"])]
    trained = flatten(presets.parse(_preset_of(entry.command)).config)
    said = dict(re.findall(r"--set ([\w.]+)=(\S+)", entry.command))
    share = int(said["model.width"]) / trained["model.width"]
    sizes = {key: str(max(1, round(own[key] * share))) for key in WIDTHS if key in own}
    ships = name == entry.network
    sizes |= {key: said[key] for key in SIZES if key in said and (ships or key not in WIDTHS)}
    return [f"{key}={value}" for key, value in sizes.items() if key in own]


def _preset_of(command: str) -> str:
    match = re.search(r"nuri-train train (\S+)", command)
    if match is None:
        raise ValueError(f"the manifest names no preset: {command}")
    return match[1]


def _measured(preset: Preset) -> tuple[int, list[float], list[str]]:
    """Parameters of the generator, samples per second of each step that counts, what it lacks."""
    with tempfile.TemporaryDirectory(prefix="nuri-") as folder:
        recipe = papers.build(preset.as_config(), None)
        run = Trainer(recipe, Path(folder) / "run", device="cpu", quiet=True)
        rates = [rate for _, rate in run.fit().history["samples_per_second"]]
    generator = recipe.networks["generator"]
    count = sum(parameter.numel() for parameter in generator.parameters())
    return count, rates[WARM_UP:], recipe.degraded


def _spread(rates: Sequence[float]) -> float:
    if len(rates) < 2:
        return 0.0
    middle = statistics.median(rates)
    low, _, high = statistics.quantiles(rates, n=4, method="inclusive")
    return max(high - middle, middle - low) / middle


def show_training(rows: Sequence[Trained]) -> None:
    """The table."""
    table = Table(title="training at the widths that ship, samples per second")
    headings = ("preset", "parameters", "side", "batch", "fp32", "bf16", "bf16 / fp32", "spread")
    for name in headings:
        table.add_column(name, justify="left" if name == "preset" else "right", no_wrap=True)
    for row in rows:
        rates = (f"{row.fp32:.3g}", f"{row.bf16:.3g}", f"{row.ratio:.2f}", f"{row.spread:.0%}")
        table.add_row(row.preset, f"{row.parameters:,}", str(row.side), str(row.batch), *rates)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    for line in dict.fromkeys(line for row in rows for line in row.without):
        print(f"without: {line}")
