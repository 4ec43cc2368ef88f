"""`nuri-train prepare`: every sample is read once, before hours of training depend on it."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from training import papers, presets
from training.engine.progress import Progress


def prepare(options: argparse.Namespace) -> int:
    """Read all samples of a preset's data: caches are filled, unreadable pictures are named."""
    config = presets.parse(options.preset, options.settings).as_config()
    for split in ("train", "test"):
        dataset = papers.dataset(config, options.data, split)
        count = len(dataset)
        with Progress(f"{config['paper']} {split}", count) as progress:
            flaws = dataset.check(partial(progress, losses={}, samples_per_second=0.0))
        for line in dict.fromkeys((*flaws, *dataset.degraded)):
            sys.stdout.write(f"{split}: {line}\n")
        left_out = f", {len(flaws)} are left out" if flaws else ""
        sys.stdout.write(f"{split}: {count - len(flaws)} samples are good{left_out}\n")
    return 0
