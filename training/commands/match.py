"""`nuri-train match`: the region matcher, which no paper describes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.commands import evaluate
from training.engine import Trainer, checkpoint
from training.engine.files import write_json
from training.matching.evaluation import evaluate as measure
from training.matching.recipe import build
from training.presets import apply_settings
from training.presets.configuration import read_toml

DEFAULTS = Path(__file__).parent.parent / "matching" / "defaults.toml"


def match(options: argparse.Namespace) -> int:
    """Train the matcher on the shared sets below ``--data`` and measure it on their dev parts.

    Prepared drawings go to ``data.cache``, by default a folder of the run. Raises TrainingError.
    """
    config = apply_settings(read_toml(DEFAULTS), options.settings)[0]
    run: Path = options.output
    cache = Path(config["data"]["cache"] or run / "prepared")
    recipe = build(config, options.data, cache)
    trainer = Trainer(
        recipe, run, device=options.device, devices=options.devices, quiet=options.quiet
    )
    fitted = trainer.fit(resume=options.resume)
    if fitted.stopped == "interrupted":
        sys.stderr.write(f"nuri-train: stopped after step {fitted.steps}: go on with --resume\n")
        return 1
    facts = measure(config, run / checkpoint.NAME, options.data, cache)
    write_json(run / evaluate.NAME, facts)
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0
