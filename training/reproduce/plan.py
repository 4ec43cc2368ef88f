"""Which trainings the rows of the tables need, and which rows share one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.presets.configuration import flatten
from training.presets.loader import Preset

# Tables and keys that do not change the weights a stage ends with.
EVALUATION_ONLY = (
    "eval",
    "refine",
    "finetune",
    "references.evaluate",
    "data.workers",
    "train.log_every",
    "train.checkpoint_every",
    "train.sample_every",
    "train.max_seconds",
)
STAGE_STEPS: Mapping[str, tuple[str, ...]] = {
    "main": ("train.steps", "train.scratch_steps"),
    "refine": ("refine.steps",),
    "finetune": ("finetune.steps", "finetune.refine_steps"),
}
STAGE_TABLES: Mapping[str, tuple[str, ...]] = {
    "refine": ("refine",),
    "finetune": ("finetune", "eval.series"),
}
# Keys of a stage's own tables that do not: whether there is one, shots that are not measured.
WEIGHTLESS = frozenset({"refine.enabled", "finetune.reserved"})


@dataclass(frozen=True)
class StageRun:
    """One stage to train. `key` names its folder; `after` is the key of the stage it starts from.

    Two rows whose configurations agree in everything that a stage sees have the same key.
    """

    key: str
    stage: str
    preset: Preset
    after: str | None = None


def stage_runs(preset: Preset, stages: Iterable[str]) -> list[StageRun]:
    """The chain of stages that a preset needs, in order."""
    chain: list[StageRun] = []
    seen = ""
    for stage in stages:
        seen = digest({"after": seen, "stage": stage, **visible(preset, stage)})
        after = chain[-1].key if chain else None
        chain.append(StageRun(f"{stage}-{seen}", stage, preset, after))
    return chain


def visible(preset: Preset, stage: str) -> dict[str, Any]:
    """The values that a stage's weights depend on, besides the stage before it."""
    leaves = flatten(preset.config)
    if stage == "main":
        chosen = {key: value for key, value in leaves.items() if not _under(key, EVALUATION_ONLY)}
    else:
        tables = STAGE_TABLES.get(stage, (stage,))
        chosen = {key: value for key, value in leaves.items() if _under(key, tables)}
    return {key: value for key, value in chosen.items() if key not in WEIGHTLESS}


def distinct(chains: Iterable[list[StageRun]]) -> list[StageRun]:
    """Every stage to train once, those that others start from first."""
    found: dict[str, StageRun] = {}
    for chain in chains:
        for run in chain:
            found.setdefault(run.key, run)
    return list(found.values())


def digest(values: Mapping[str, Any]) -> str:
    """A short name of some values, the same in every process."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:10]


def _under(key: str, tables: Iterable[str]) -> bool:
    return any(key == table or key.startswith(f"{table}.") for table in tables)
