"""`nuri-train export`, `nuri-train ship` and `nuri-train import`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.commands import evaluate
from training.commands.train import last_checkpoint
from training.export import convert_weights, export_network
from training.shipping import Label, ship_file, ship_run


def export(options: argparse.Namespace) -> int:
    """Write a run's network as safetensors, with a model card beside it."""
    path = last_checkpoint(options.run_folder)
    card = export_network(
        path,
        options.output,
        options.network,
        half=options.half,
        evaluation=options.run_folder / evaluate.NAME,
    )
    sys.stdout.write(f"{options.output}\n{card}\n")
    return 0


def ship(options: argparse.Namespace) -> int:
    """Put a network into the folder of weights that travel with the program."""
    label = Label(
        options.id,
        options.licence,
        tuple(options.data),
        options.command,
        options.notes.read_text(encoding="utf-8") if options.notes else "",
    )
    source: Path = options.source
    if source.is_dir():
        evaluation = options.evaluation or source / evaluate.NAME
        entry = ship_run(
            last_checkpoint(source), options.into, label, options.network, evaluation=evaluation
        )
    else:
        entry = ship_file(source, options.into, label, evaluation=options.evaluation)
    sys.stdout.write(f"{options.into / entry.file}: {entry.bytes:,} bytes\n")
    return 0


def import_weights(options: argparse.Namespace) -> int:
    """Convert published weights; the file is read without running any code in it."""
    count = convert_weights(options.source, options.output, options.name)
    sys.stdout.write(f"{options.output}: {count} tensors\n")
    return 0
