"""Processes of torchrun that are not alike: the second is late, or has a folder of its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch

from training.engine import Trainer
from training.engine.batches import Source
from training.engine.recipe import Track

from .tiny import tiny_recipe


class Late(Trainer):
    """The second process comes to the first step when the first has written its checkpoint."""

    def _source(self, track: Track) -> Source:
        if os.environ["RANK"] == "1":
            deadline = time.monotonic() + 60
            while not self.checkpoint.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        return super()._source(track)


if __name__ == "__main__":  # late FOLDER, or other FOLDER of which the second has FOLDER/1
    torch.set_num_threads(1)
    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "other" and os.environ["RANK"] == "1":
        folder = folder / "1"
    trainer = Late if kind == "late" else Trainer
    trainer(tiny_recipe("G", steps=6), folder, device="cpu", quiet=True).fit(resume=True)
