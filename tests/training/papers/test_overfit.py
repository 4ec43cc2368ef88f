"""The specifications' overfit tests, at reduced width and size so that two cores suffice.

Each asks that a recipe as a whole (data, network, losses, optimiser) can learn a few drawings.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.models.color import rgb_to_lab
from training.engine import Batch

from .overfitting import mean_psnr, ours_and_truth, overfit

pytestmark = pytest.mark.slow


def unwarped(batch: Batch) -> Batch:
    return {**batch, "reference": batch["color"]}


def test_aaldc_knows_eight_pairs_after_300_steps(tmp_path: Path) -> None:
    """aaldc section 12, at width 4 and 64 x 64 instead of 16 and 256 x 256."""
    recipe = overfit(
        "aaldc", tmp_path, "model.width=4", "data.size=64", "data.count=8", "train.steps=300",
        "train.batch=8", "optim.generator.lr=1e-3",
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe, unwarped)
    assert float((ours - truth).abs().mean()) * 2 < 0.05  # of [-1, 1]
    assert mean_psnr(ours, truth) > 25


def test_ibn_gan_knows_sixteen_photos_after_500_steps(tmp_path: Path) -> None:
    """ibn_gan section 13, at width 16, 6 levels and 64 x 64, adversarial weight 0."""
    recipe = overfit(
        "ibn_gan/bn", tmp_path, "model.width=16", "model.depth=6", "data.size=64",
        "data.count=16", "train.steps=500", "train.batch=16", "optim.generator.lr=1e-3",
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe)
    error = (rgb_to_lab(ours) - rgb_to_lab(truth))[:, 1:].abs().mean()
    assert float(error) < 3


def test_smsanet_knows_eight_photos_after_800_steps(tmp_path: Path) -> None:
    """smsanet section 11, at width 16 and 64 x 64, from scratch at 1e-3."""
    recipe = overfit(
        "smsanet", tmp_path, "model.width=16", "data.size=64", "data.count=8",
        "train.steps=0", "train.scratch_steps=800", "train.scratch_lr=1e-3", "train.batch=8",
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe)
    assert mean_psnr(ours, truth) > 32


def test_video_gives_back_a_reference(tmp_path: Path) -> None:
    """video section 12: with the target among the references, above 30 dB; width 8, 64 x 64."""
    recipe = overfit(
        "video", tmp_path, "model.width=8", "model.blocks=2", "data.size=64", "data.count=1",
        "train.steps=400", "train.batch=4", "optim.generator.lr=1e-3",
    )  # fmt: skip

    def identical(batch: Batch) -> Batch:
        frame = batch["reference_frames"][:, 0]
        return {**batch, "target": frame}

    ours, truth = ours_and_truth(recipe, identical)
    assert mean_psnr(ours, truth) > 30
