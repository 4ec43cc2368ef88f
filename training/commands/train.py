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
LATER = ("refine", FINETUNE)  # folders of a run, in the order of their training


def train(options: argparse.Namespace) -> int:
    """Train every stage of a preset; the first in RUN, the later ones in folders inside it.

    A stage that `train.max_seconds` ended is no base: the later ones wait for --resume.
    """
    config = presets.parse(options.preset, options.settings).as_config()
    stages = papers.stages(config)
    if not stages:
        raise TrainingError(f"{options.preset} has nothing to train", "set train.steps above 0")
    base: Path | None = None
    for stage in stages:
        folder = options.output if stage == MAIN else options.output / stage
        stopped = _run(config, stage, base, folder, options)
        if stopped != "done":
            return 0 if stopped == "time" else 1
        base = folder / checkpoint.NAME
    return 0


def finetune(options: argparse.Namespace) -> int:
    """Go on with a trained run by the paper's fine-tuning procedure."""
    facts = read_run(options.base)
    # the settings come last: what they say stays
    config = papers.with_finetuning(copy.deepcopy(facts["config"]))
    config = presets.apply_settings(config, options.settings)[0]
    if FINETUNE not in papers.stages(config):
        raise TrainingError(
            "--set switches fine-tuning off", "leave out the setting of finetune that does"
        )
    base = last_checkpoint(options.base, without=options.output)
    stopped = _run(config, FINETUNE, base, options.output, options)
    return 1 if stopped == "interrupted" else 0


def last_checkpoint(run: Path, without: Path | None = None) -> Path:
    """The checkpoint of the last stage that a run folder holds, but of none in ``without``.

    A stage that began with another state of the one before it is left out, and named. Raises
    TrainingError.
    """
    last: Path | None = None
    for folder in (run, *(run / stage for stage in LATER)):
        path = folder / checkpoint.NAME
        if not path.exists() or (without is not None and folder.resolve() == without.resolve()):
            continue
        if last is not None and not _follows(path, last):
            sys.stderr.write(
                f"nuri-train: {folder} is left out, for {last.parent} has changed since: "
                "train on with --resume\n"
            )
            continue
        last = path
    if last is None:
        raise TrainingError(f"{run} holds no checkpoint", "train first")
    return last


def _follows(path: Path, base: Path) -> bool:
    known = checkpoint.load(path).get("base")
    return known is None or known == checkpoint.origin(checkpoint.load(base))


def _run(
    config: dict[str, Any], stage: str, base: Path | None, folder: Path, options: argparse.Namespace
) -> str:
    """Train one stage; returns `Fitted.stopped`."""
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
    if fitted.stopped != "done" and first:
        sys.stderr.write(
            f"nuri-train: stopped after step {fitted.steps} of {recipe.steps}: "
            "go on with --resume\n"
        )
    return fitted.stopped


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _silent(line: str) -> None:
    """--quiet."""
