"""Trains a recipe on a handful of generated drawings until it knows them by heart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from training import papers, presets
from training.engine import Batch, Recipe, Trainer
from training.engine.batches import collate
from training.engine.steps import in_eval_mode

SETTINGS = [
    "data.workers=0",
    "train.log_every=50",
    "train.sample_every=0",
    "train.checkpoint_every=0",
    "loss.adv=0",
]


def overfit(preset: str, folder: Path, *settings: str) -> Recipe:
    """Train the main stage of a preset; returns its recipe with the trained networks."""
    chosen = [*SETTINGS, *settings]
    config = presets.parse(preset).config
    known = presets.flatten(config)
    chosen = [setting for setting in chosen if setting.partition("=")[0] in known]
    recipe = papers.build(presets.parse(preset, chosen).as_config(), None)
    Trainer(recipe, folder, device="cpu", quiet=True).fit()
    return recipe


@torch.no_grad()
def ours_and_truth(
    recipe: Recipe, change: Callable[[Batch], Batch] | None = None
) -> tuple[Tensor, Tensor]:
    """What the network makes of its training samples, and the truth: (N, 3, H, W) in [0, 1].

    They are the last two columns of the task's preview.
    """
    track = recipe.tracks[0]
    samples = [track.dataset[(0, index)] for index in range(len(track.dataset))]  # type: ignore[arg-type]
    batch = collate(samples)
    with in_eval_mode([track.task]):
        columns = track.task.preview(change(batch) if change else batch)
    return columns[-2], columns[-1]


def mean_psnr(ours: Tensor, truth: Tensor) -> float:
    """Mean over pictures of the PSNR in dB, peak 1."""
    errors = (ours - truth).square().flatten(1).mean(1)
    return float((-10 * errors.log10()).mean())
