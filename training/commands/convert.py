"""`nuri-train export` and `nuri-train import`."""

from __future__ import annotations

import argparse
import sys

from training.commands.train import last_checkpoint
from training.export import convert_weights, export_network


def export(options: argparse.Namespace) -> int:
    """Write a run's network as safetensors, with a model card beside it."""
    path = last_checkpoint(options.run_folder)
    card = export_network(path, options.output, options.network)
    sys.stdout.write(f"{options.output}\n{card}\n")
    return 0


def import_weights(options: argparse.Namespace) -> int:
    """Convert published weights; the file is read without running any code in it."""
    count = convert_weights(options.source, options.output, options.name)
    sys.stdout.write(f"{options.output}: {count} tensors\n")
    return 0
