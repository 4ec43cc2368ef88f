"""Budgets: how far a reproduction is cut down, and how a time is divided over the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.errors import TrainingError
from training.presets.configuration import flatten, read_toml
from training.presets.loader import FOLDER, Preset

SHORT_SECONDS = 2 * 3600  # below this the "short" widths apply
TRAINING_SHARE = 0.75  # the rest is for reading data, evaluation and starting
STEP_KEYS = (
    "train.steps",
    "train.scratch_steps",
    "refine.steps",
    "finetune.steps",
    "finetune.refine_steps",
)
LATER_STAGES = {
    "refine.steps": ("train.steps", 0.5),
    "finetune.steps": ("train.steps", 0.02),
    "finetune.refine_steps": ("refine.steps", 0.02),
}
CURVE_POINTS = 120


@dataclass(frozen=True)
class Budget:
    """A budget as a person writes it: "smoke", "20min", "6h", or "" for the paper's schedule."""

    name: str
    seconds: float = 0.0

    @property
    def section(self) -> str:
        """The section of `budgets.toml` that applies, "" for none."""
        if self.name == "smoke" or not self.name:
            return self.name
        return "short" if self.seconds < SHORT_SECONDS else "long"

    def sentence(self) -> str:
        """What the budget does to the figures, for the top of the page."""
        if self.name == "smoke":
            return (
                "Smoke budget: a few steps of tiny networks. It shows that every row runs; "
                "the figures and their order mean nothing."
            )
        if not self.name:
            return "The paper's own widths and schedules."
        return (
            f"Budget of {self.name}: narrower networks, smaller pictures and far fewer steps than "
            "in the paper. The plan cuts every row by the same factor, but a row that takes much "
            "longer than measured is stopped: the tables show the steps that each had. Compare the "
            "order of the rows, not the size of the figures."
        )


def parse_budget(text: str | None) -> Budget:
    """Reads "smoke", "<n>min" or "<n>h"; None, "" or "full" is the paper's schedule.

    Raises TrainingError for anything else.
    """
    if not text or text == "full":
        return Budget("")
    if text == "smoke":
        return Budget(text)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(min|h)", text)
    if match is None or float(match[1]) == 0:
        raise TrainingError(f"--budget {text}", "write smoke, full, or a time such as 20min or 6h")
    return Budget(text, float(match[1]) * (60 if match[2] == "min" else 3600))


def reduced(preset: Preset, budget: Budget) -> Preset:
    """The preset with the budget's widths and sizes; keys that the row lacks are left out.

    A share, such as 0.25 for a whole number, is a share of the row's own value.
    """
    if not budget.section:
        return preset
    changes = read_toml(FOLDER / preset.paper / "budgets.toml")[budget.section]
    known = flatten(preset.config)
    fitting = {
        key: _scaled(known[key], value)
        for key, value in flatten(changes).items()
        if key in known and known[key] != value and _scales(key, known[key])
    }
    return preset.with_changes(fitting, "budget")


def _scaled(present: Any, value: Any) -> Any:
    if isinstance(value, float) and type(present) is int:
        return max(1, round(present * value))
    return value


def _scales(key: str, value: Any) -> bool:
    """A length of 0 steps or a term switched off is the row's point and stays."""
    switch = key.endswith("steps") or key.startswith("loss.")
    return not (switch and value == 0) and value != "none"


def weight(key: str, preset: Preset) -> float:
    """Steps of a stage that count when a time is divided, 0 for a stage that is off.

    A later stage, short in the paper beside days of training, keeps a share of the stage before
    it, so that a small budget does not leave it with a step or two.
    """
    leaves = flatten(preset.config)
    steps = float(leaves.get(key, 0))
    first, share = LATER_STAGES.get(key, ("", 0.0))
    return max(steps, share * leaves[first]) if steps and first else steps


def divide(budget: Budget, seconds: float, spent: float = 0.0) -> float:
    """The factor on every stage's steps that fills the budget; at most 1.

    `seconds` is what all stages would take at their full weight, `spent` the time that measuring
    took, of which at least half the share of training is left. All rows are cut by one factor,
    so that rows with equal schedules stay comparable whatever a step of each costs.
    """
    share = budget.seconds * TRAINING_SHARE
    return min(1.0, max(share - spent, share / 2) / seconds) if seconds else 1.0


def shortened(preset: Preset, factor: float) -> Preset:
    """The preset with every stage's steps cut by a factor; steps that a person set stay."""
    leaves = flatten(preset.config)
    changes = {
        key: max(1, min(leaves[key], round(weight(key, preset) * factor)))
        for key in STEP_KEYS
        if leaves.get(key) and preset.source(key) != "given"
    }
    return preset.with_changes(changes, "budget")


def housekeeping(steps: int) -> Mapping[str, Any]:
    """How often a run of this length logs and saves."""
    return {
        "train.log_every": max(1, steps // CURVE_POINTS),
        "train.checkpoint_every": max(1, steps // 4),
        "train.sample_every": max(1, steps // 2),
    }
