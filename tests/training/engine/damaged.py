"""The tiny recipe on drawings that lie on the disk; runs as a program for tests with processes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.data import PairedLineDataset
from training.data.base import Sample
from training.data.layouts import pair_source
from training.engine import Recipe, Trainer

from .tiny import tiny_recipe


class Drawings(PairedLineDataset):
    """Drawings at 8 x 8 as the input of the tiny task."""

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        sample = super().make(index, rng)
        return {"input": (sample["line"] + 1) / 2, "name": sample["name"]}


def recipe_of_drawings(data: Path, workers: int = 0, steps: int = 12) -> Recipe:
    recipe = tiny_recipe("G", workers=workers, steps=steps)
    drawings = Drawings(pair_source(data, "set"), 8, warp=False)
    recipe.tracks = [replace(track, dataset=drawings) for track in recipe.tracks]
    return recipe


if __name__ == "__main__":  # FOLDER DATA
    torch.set_num_threads(1)
    folder, data = map(Path, sys.argv[1:])
    Trainer(recipe_of_drawings(data), folder, device="cpu", quiet=True).fit()
