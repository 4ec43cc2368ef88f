"""`nuri-train prepare`: every sample is read once, before hours of training depend on it."""

from __future__ import annotations

import argparse
import sys

from training import papers, presets
from training.engine.progress import Progress


def prepare(options: argparse.Namespace) -> int:
    """Read all samples of a preset's data: caches are filled, unreadable pictures are named."""
    config = presets.parse(options.preset, options.settings).as_config()
    for split in ("train", "test"):
        dataset = papers.dataset(config, options.data, split)
        for line in (*dataset.check(), *dataset.degraded):
            sys.stdout.write(f"{split}: {line}\n")
        with Progress(f"{config['paper']} {split}", len(dataset)) as progress:
            for index in range(len(dataset)):
                dataset[(0, index)]
                progress(index + 1, {}, 0.0)
        sys.stdout.write(f"{split}: {len(dataset)} samples are good\n")
    return 0
