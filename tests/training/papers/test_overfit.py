"""The specifications' overfit tests, at reduced width and size so that two cores suffice.

Each asks that a recipe (data, network, losses, critic, optimiser) can learn a few drawings. Where
VGG's weights are absent, the losses in its features are left out; ibn_gan's goes without critic.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.models.color import rgb_to_lab
from training.engine import Batch

from .overfitting import mean_psnr, ours_and_truth, overfit

RATES = ["optim.generator.lr=2e-3", "optim.decay_at=0.8", "optim.decay_factor=0.2"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a minute or two on quiet cores


def unwarped(batch: Batch) -> Batch:
    return {**batch, "reference": batch["color"]}


def still(sample: Batch) -> Batch:
    """Every frame is the first: the target is what reference 0 shows."""
    clips = {name: sample[name] for name in ("line", "distance", "color")}
    return {**sample, **{name: clip[:1].expand_as(clip) for name, clip in clips.items()}}


def test_aaldc_knows_eight_pairs_after_300_steps(tmp_path: Path) -> None:
    """aaldc section 12, at width 12 and 64 x 64 instead of 16 and 256 x 256."""
    recipe = overfit(
        "aaldc", tmp_path, "loss.adv=1", "model.width=12", "data.size=64", "data.count=8",
        "train.steps=300", "train.batch=8", *RATES,
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe, unwarped)
    assert float((ours - truth).abs().mean()) * 2 < 0.05  # of [-1, 1]
    assert mean_psnr(ours, truth) > 25


def test_ibn_gan_knows_sixteen_photos_after_500_steps(tmp_path: Path) -> None:
    """ibn_gan section 13, at width 16, 6 levels and 64 x 64, adversarial weight 0.

    Measured with the batch's statistics: the running means, which keep 0.99 of themselves as in
    Keras, lag behind so short a training.
    """
    recipe = overfit(
        "ibn_gan/bn", tmp_path, "model.width=16", "model.depth=6", "data.size=64",
        "data.count=16", "train.steps=500", "train.batch=16", *RATES,
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe, batch_statistics=True)
    error = (rgb_to_lab(ours) - rgb_to_lab(truth))[:, 1:].abs().mean()
    assert float(error) < 3


def test_smsanet_knows_eight_photos_after_800_steps(tmp_path: Path) -> None:
    """smsanet section 11, at width 8 and 64 x 64, from scratch at higher rates."""
    recipe = overfit(
        "smsanet", tmp_path, "model.width=8", "data.size=64", "data.count=8", "train.batch=8",
        "train.scratch_steps=700", "train.scratch_lr=2e-3", "train.steps=100",
        "optim.generator.lr=2e-4",
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe)
    assert mean_psnr(ours, truth) > 32


def test_video_gives_back_a_reference(tmp_path: Path) -> None:
    """video section 12: one still clip, where the target is reference 0; width 16, 64 x 64."""
    recipe = overfit(
        "video", tmp_path, "loss.adv=1", "model.width=16", "model.blocks=1", "data.size=64",
        "data.count=1", "train.steps=500", "train.batch=1", *RATES, change=still,
    )  # fmt: skip
    ours, truth = ours_and_truth(recipe)
    assert mean_psnr(ours, truth) > 30
