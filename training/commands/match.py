"""`nuri-train match`, `choose` and `borders`: the networks of regions, which no paper describes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from training.commands import evaluate
from training.engine import Recipe, Trainer, checkpoint
from training.engine.files import write_json
from training.matching import borders as bordering
from training.matching import choosing, evaluation, recipe
from training.presets import apply_settings
from training.presets.configuration import read_toml

ROOM = Path(__file__).parent.parent / "matching"
Config = Mapping[str, Any]


def match(options: argparse.Namespace) -> int:
    """Train the matcher on the shared sets below ``--data`` and measure it on their dev parts.

    Prepared drawings go to ``data.cache``, by default a folder of the run. Raises TrainingError.
    """
    return _train(options, "defaults.toml", recipe.build, evaluation.evaluate)


def choose(options: argparse.Namespace) -> int:
    """The same for the colour chooser, which looks through the shipped matcher."""
    return _train(options, "choosing.toml", choosing.build, choosing.evaluate)


def borders(options: argparse.Namespace) -> int:
    """The same for the border finder."""
    return _train(options, "borders.toml", bordering.build, bordering.evaluate)


def _train(
    options: argparse.Namespace,
    defaults: str,
    build: Callable[[Config, Path, Path], Recipe],
    measure: Callable[[Config, Path, Path, Path], dict[str, Any]],
) -> int:
    config = apply_settings(read_toml(ROOM / defaults), options.settings)[0]
    run: Path = options.output
    cache = Path(config["data"]["cache"] or run / "prepared")
    trainer = Trainer(
        build(config, options.data, cache),
        run,
        device=options.device,
        devices=options.devices,
        quiet=options.quiet,
    )
    fitted = trainer.fit(resume=options.resume)
    if fitted.stopped == "interrupted":
        sys.stderr.write(f"nuri-train: stopped after step {fitted.steps}: go on with --resume\n")
        return 1
    facts = measure(config, run / checkpoint.NAME, options.data, cache)
    write_json(run / evaluate.NAME, facts)
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0
