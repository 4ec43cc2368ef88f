"""`nuri-train match`, `choose` and `borders`: the networks of regions, which no paper describes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from training.commands import evaluate
from training.engine import Recipe, Trainer, checkpoint
from training.errors import TrainingError
from training.files import write_json
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
    made = build(config, options.data, cache)
    if options.start is not None:
        missing = start_from(made.networks["generator"], options.start)
        if missing:
            sys.stderr.write(f"nuri-train: not in {options.start}, new: {', '.join(missing)}\n")
    trainer = Trainer(
        made,
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


def start_from(network: nn.Module, path: Path) -> list[str]:
    """Load trained weights, as they ship, into the network. Returns what the file lacks.

    Raises TrainingError.
    """
    try:
        fresh = network.state_dict()
        weights = {name: value.float() for name, value in load_file(path).items()}
        network.load_state_dict(fresh | weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"cannot start from {path}: {reason}", "name weights of the same network and width"
        ) from error
    return sorted(fresh.keys() - weights.keys())
