"""`nuri-train evaluate`."""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path

from training import papers, presets
from training.commands.train import last_checkpoint
from training.engine import checkpoint, read_run
from training.files import write_json

NAME = "evaluation.json"


def evaluate(options: argparse.Namespace) -> int:
    """Measure a run; the figures go to RUN/evaluation.json, pictures to RUN/evaluation/."""
    run: Path = options.run_folder
    config = copy.deepcopy(read_run(run)["config"])
    config = presets.apply_settings(config, options.settings)[0]
    if options.limit is not None:
        config["eval"]["limit"] = options.limit
    path = last_checkpoint(run)
    evaluation = papers.evaluate(
        config, options.data, path, run / "evaluation", device=options.device
    )
    facts = evaluation.as_facts() | {"weights": checkpoint.origin(checkpoint.load(path))}
    write_json(run / NAME, facts)
    if options.json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return 0
    for name, value in evaluation.metrics.items():
        shown = f"{value:.4f}" if value is not None else f"- ({evaluation.unavailable[name]})"
        sys.stdout.write(f"{name:24} {shown}\n")
    sys.stdout.write(f"{evaluation.count} pictures; {run / NAME}\n")
    return 0
