"""`nuri-train train` and `nuri-train finetune`."""

from __future__ import annotations

import argparse
import copy
import os
import sys
from pathlib import Path
from typing import Any

from training import papers, presets
from training.engine import Trainer, checkpoint, read_run
from training.errors import TrainingError

MAIN = "main"
FINETUNE = "finetune"


def train(options: argparse.Namespace) -> int:
    """Train every stage of a preset; the first in RUN, the later ones in folders inside it."""
    config = presets.parse(options.preset, options.settings).as_config()
    stages = papers.stages(config)
    if not stages:
        raise TrainingError(f"{options.preset} has nothing to train", "set train.steps above 0")
    base: Path | None = None
    for stage in stages:
        folder = options.output if stage == MAIN else options.output / stage
        finished = _run(config, stage, base, folder, options)
        if not finished:
            return 1
        base = folder / checkpoint.NAME
    return 0


def finetune(options: argparse.Namespace) -> int:
    """Go on with a trained run by the paper's fine-tuning procedure."""
    facts = read_run(options.base)
    config = presets.apply_settings(copy.deepcopy(facts["config"]), options.settings)[0]
    if FINETUNE not in papers.stages(config):
        config = papers.with_finetuning(config)
    base = last_checkpoint(options.base)
    return 0 if _run(config, FINETUNE, base, options.output, options) else 1


def last_checkpoint(run: Path) -> Path:
    """The checkpoint of the last stage that a run folder holds. Raises TrainingError."""
    for folder in (run / FINETUNE, run / "refine", run):
        if (folder / checkpoint.NAME).exists():
            return folder / checkpoint.NAME
    raise TrainingError(f"{run} holds no checkpoint", "train first")


def _run(
    config: dict[str, Any], stage: str, base: Path | None, folder: Path, options: argparse.Namespace
) -> bool:
    recipe = papers.build(config, options.data, stage, base)
    first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes one speaks
    say = _say if first and not options.quiet else _silent
    say(f"{recipe.paper} {stage}: {recipe.steps} steps on {recipe.data_name}, run folder {folder}")
    for line in recipe.degraded:
        say(f"note: {line}")
    trainer = Trainer(
        recipe, folder, device=options.device, devices=options.devices, quiet=options.quiet
    )
    fitted = trainer.fit(resume=options.resume)
    say(
        f"{recipe.paper} {stage}: {fitted.steps} steps, {fitted.samples_per_second:.3g} samples/s, "
        f"checkpoint {fitted.checkpoint}"
    )
    if fitted.stopped == "interrupted":
        sys.stderr.write(
            f"nuri-train: stopped after step {fitted.steps} of {recipe.steps}: "
            "go on with --resume\n"
        )
    return fitted.stopped != "interrupted"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _silent(line: str) -> None:
    """--quiet."""
