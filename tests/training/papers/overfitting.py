"""Trains a recipe on a handful of generated drawings until it knows them by heart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from training import papers, presets
from training.engine import Batch, Recipe, Samples, Trainer
from training.engine.batches import collate
from training.engine.steps import in_eval_mode

# without a critic, as ibn_gan asks, unless a test sets it anew
SETTINGS = [
    "data.workers=0",
    "train.log_every=50",
    "train.sample_every=0",
    "train.checkpoint_every=0",
    "loss.adv=0",
]


class First:
    """The first sample of epoch 0 alone, with something done to it."""

    def __init__(self, samples: Samples, change: Callable[[Batch], Batch]) -> None:
        self.samples, self.change = samples, change

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        return self.change(self.samples[(0, 0)])


def overfit(
    preset: str, folder: Path, *settings: str, change: Callable[[Batch], Batch] | None = None
) -> Recipe:
    """Train the main stage of a preset; returns its recipe with the trained networks.

    ``change``: train on the first sample alone, after this was done to it.
    """
    chosen = [*SETTINGS, *settings]
    config = presets.parse(preset).config
    known = presets.flatten(config)
    chosen = [setting for setting in chosen if setting.partition("=")[0] in known]
    recipe = papers.build(presets.parse(preset, chosen).as_config(), None)
    if change is not None:
        (track,) = recipe.tracks
        recipe.tracks = [replace(track, dataset=First(track.dataset, change))]
    Trainer(recipe, folder, device="cpu", quiet=True).fit()
    return recipe


@torch.no_grad()
def ours_and_truth(
    recipe: Recipe,
    change: Callable[[Batch], Batch] | None = None,
    *,
    batch_statistics: bool = False,
) -> tuple[Tensor, Tensor]:
    """What the network makes of its training samples, and the truth: (N, 3, H, W) in [0, 1].

    They are the last two columns of the task's preview. ``batch_statistics``: batch norm as in
    training, for networks whose running means need more steps than the test takes.
    """
    track = recipe.tracks[0]
    samples = [track.dataset[(0, index)] for index in range(len(track.dataset))]
    batch = collate(samples)
    mode: AbstractContextManager[None] = nullcontext()
    if not batch_statistics:
        mode = in_eval_mode([track.task])
    with mode:
        columns = track.task.preview(change(batch) if change else batch)
    return columns[-2], columns[-1]


def mean_psnr(ours: Tensor, truth: Tensor) -> float:
    """Mean over pictures of the PSNR in dB, peak 1."""
    errors = (ours - truth).square().flatten(1).mean(1)
    return float((-10 * errors.log10()).mean())
