"""The presets of the rows to reproduce: with the budget, with what a person set, with metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training import presets
from training.metrics import PARTS, STAND_INS
from training.presets import Preset, Table
from training.presets.configuration import flatten
from training.reproduce.budget import STEP_KEYS, Budget, reduced


def chosen_rows(
    paper: str, tables: Sequence[Table], budget: Budget, overrides: Sequence[str]
) -> dict[str, Preset]:
    """The presets that the tables need, each once, with budget and overrides, in table order.

    Each evaluates the metrics of every table it stands in, and those stand-ins that the evaluator
    does not think of by itself. Raises TrainingError for an override that does not fit.
    """
    metrics: dict[str, dict[str, None]] = {}
    for table in tables:
        names = [
            PARTS.get(name, name)
            for metric in table.metrics
            for name in (metric.key, *metric.stand_ins)
            if name not in STAND_INS.get(metric.key, ())
        ]
        for row in table.reproducible:
            metrics.setdefault(row.preset, {}).update(dict.fromkeys(names))
    chosen = {}
    for name, wanted in metrics.items():
        preset = with_overrides(reduced(presets.load(paper, name), budget), overrides)
        known = preset.config["eval"]["metrics"]
        chosen[name] = preset.with_changes(
            {"eval.metrics": list(dict.fromkeys([*known, *wanted]))}, preset.source("eval.metrics")
        )
    return chosen


def with_overrides(preset: Preset, overrides: Sequence[str]) -> Preset:
    """The preset with `key=value` texts; lengths that are the row's own keep their proportion.

    Where a row trains four times as long as the paper's full model, it does so of a given length,
    too: otherwise it would be the same training as another row. Raises TrainingError.
    """
    changed = preset.with_settings(overrides)
    given = flatten(changed.config)
    own, usual = _row_and_full(preset)
    scaled = {
        key: _scaled(given[key], own[key], usual[key])
        for key in STEP_KEYS
        if changed.sources.get(key) == "given" and usual.get(key) and own[key] != usual[key]
    }
    return changed.with_changes(scaled, "given")


def overwritten(preset: Preset) -> list[str]:
    """Values by which a row differs from the full model, and that a person set to another value.

    `key = value` each. Lengths are left out, for they keep their proportion.
    """
    own, usual = _row_and_full(preset)
    given = flatten(preset.config)
    return [
        f"{key} = {value}"
        for key, value in own.items()
        if preset.sources[key] == "given"
        and key not in STEP_KEYS
        and value != usual.get(key, value)
        and value != given[key]
    ]


def _scaled(given: int, own: int, usual: int) -> int:
    return max(min(given, 1), round(given * own / usual)) if own else 0


def _row_and_full(preset: Preset) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values of the row as the tables have it, and of the paper's full model."""
    own = flatten(presets.load(preset.paper, preset.row).config)
    return own, flatten(presets.load(preset.paper).config)
