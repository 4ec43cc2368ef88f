"""Trains and evaluates single stages and rows, and remembers on disk what is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training import papers
from training.engine import Fitted, Trainer, read_run
from training.errors import TrainingError
from training.files import write_json
from training.presets.configuration import flatten
from training.presets.loader import Preset
from training.report.pictures import shrink
from training.reproduce.budget import housekeeping
from training.reproduce.plan import STAGE_STEPS, StageRun, digest, stage_runs

STAGE_FACTS = "stage.json"
WARM_UP, MEASURED = 2, 4


class Laboratory:
    """The folder of one paper's reproduction: `runs/` (a folder per stage), `rows/`, `pictures/`.

    `data` is the folder given by the user, None for procedural drawings.
    """

    def __init__(self, folder: Path, data: Path | None, device: str = "auto") -> None:
        self.folder = folder
        self.data = data
        self.device = device

    def chain(self, preset: Preset) -> list[StageRun]:
        """The stages that a preset needs, in order; none for a network used as it is."""
        return stage_runs(preset, papers.stages(preset.as_config()))

    def row(self, preset: Preset, max_seconds: Mapping[str, float]) -> dict[str, Any]:
        """Trains what is missing, evaluates, and returns the row's facts.

        A row done before with the same values is returned as it was. `max_seconds` limits
        stages by their keys. Raises TrainingError where training or evaluation fails or is
        interrupted.
        """
        facts = self.done(preset)
        if facts is not None:
            return facts
        chain = self.chain(preset)
        checkpoint: Path | None = None
        for run in chain:
            checkpoint = self._train(run, checkpoint, max_seconds.get(run.key, 0.0))
        facts = self._evaluate(preset, chain, checkpoint)
        write_json(self._row_file(preset), facts)
        return facts

    def done(self, preset: Preset) -> dict[str, Any] | None:
        """The facts of a row that was finished before with the same values, else None."""
        facts = read_json(self._row_file(preset))
        return facts if facts is not None and facts["digest"] == _digest(preset) else None

    def stage(self, run: StageRun) -> dict[str, Any] | None:
        """What is known of a finished stage: steps, seconds, curves, degraded terms."""
        return read_json(self.folder / "runs" / run.key / STAGE_FACTS)

    def measure(self, run: StageRun, checkpoints: dict[str, Path]) -> float:
        """Seconds of one step of a stage, by running a few in a folder of its own.

        `checkpoints` collects the measured stages by key, for later stages to start from.
        """
        folder = self.folder / "measure" / run.key
        if folder.exists():
            shutil.rmtree(folder)
        count = WARM_UP + MEASURED
        known = flatten(run.preset.config)
        keys = [key for key in STAGE_STEPS[run.stage] if known.get(key)]
        changes = {key: count if index == 0 else 0 for index, key in enumerate(keys)}
        if run.stage == "finetune":
            changes = dict.fromkeys(keys, count)
        preset = run.preset.with_changes(
            {**changes, "train.log_every": 1, "train.checkpoint_every": 0}, "budget"
        )
        base = checkpoints.get(run.after) if run.after else None
        fitted, _ = self._fit(preset, run.stage, base, folder)
        checkpoints[run.key] = fitted.checkpoint
        times = [value for _, value in fitted.history["seconds"]]
        return max(1e-4, (times[-1] - times[WARM_UP - 1]) / (len(times) - WARM_UP))

    def forget_measures(self) -> None:
        """Removes what measuring left on the disk."""
        shutil.rmtree(self.folder / "measure", ignore_errors=True)

    def _train(self, run: StageRun, base: Path | None, max_seconds: float) -> Path:
        folder = self.folder / "runs" / run.key
        facts = read_json(folder / STAGE_FACTS)
        if facts is not None:
            return folder / str(facts["checkpoint"])
        leaves = flatten(run.preset.config)
        steps = sum(leaves.get(key, 0) for key in STAGE_STEPS[run.stage])
        changes = {**housekeeping(steps), "train.max_seconds": max_seconds}
        changes = {
            key: value for key, value in changes.items() if run.preset.source(key) != "given"
        }
        preset = run.preset.with_changes(changes, "budget")
        fitted, items = self._fit(preset, run.stage, base, folder)
        if fitted.stopped == "interrupted":
            raise KeyboardInterrupt
        facts = {
            "key": run.key,
            "stage": run.stage,
            "checkpoint": fitted.checkpoint.name,
            "steps": fitted.steps,
            "stopped": fitted.stopped,
            "seconds": fitted.seconds,
            "degraded": fitted.degraded,
            "data": fitted.data,
            "items": items,
            "run": read_run(folder),
            "curves": {name: points for name, points in fitted.history.items() if _is_curve(name)},
        }
        write_json(folder / STAGE_FACTS, facts)
        return fitted.checkpoint

    def _fit(
        self, preset: Preset, stage: str, base: Path | None, folder: Path
    ) -> tuple[Fitted, int]:
        """Trains a stage to its end; also the number of items of its data."""
        recipe = papers.build(preset.as_config(), self.data, stage=stage, base=base)
        fitted = Trainer(recipe, folder, device=self.device, quiet=True).fit(resume=True)
        return fitted, len(recipe.tracks[-1].dataset)

    def _evaluate(
        self, preset: Preset, chain: list[StageRun], checkpoint: Path | None
    ) -> dict[str, Any]:
        out = self.folder / "evaluations" / preset.row
        result = papers.evaluate(preset.as_config(), self.data, checkpoint, out, device=self.device)
        pictures = [
            shrink(path, self.folder / "pictures" / f"{preset.row}-{number}.webp")
            for number, (_, path) in enumerate(result.pictures, 1)
        ]
        return {
            "row": preset.row,
            "digest": _digest(preset),
            "metrics": result.metrics,
            "unavailable": result.unavailable,
            "count": result.count,
            "spread": result.spread,
            "degraded": result.degraded,
            "pretrained": result.pretrained,
            "captions": [caption for caption, _ in result.pictures],
            "pictures": [path.relative_to(self.folder).as_posix() for path in pictures],
            "stages": [run.key for run in chain],
        }

    def _row_file(self, preset: Preset) -> Path:
        return self.folder / "rows" / f"{preset.row}.json"


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file, None where there is none. Raises TrainingError if it is broken."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise TrainingError(f"{path} is damaged", "remove it and run again") from error
    return content


def _digest(preset: Preset) -> str:
    return digest(flatten(preset.config))


def _is_curve(name: str) -> bool:
    return name.startswith(("g/", "d/")) and not name.endswith("_raw")
