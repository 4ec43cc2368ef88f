"""Pixel, latent, white, perceptual and style losses against the formulas written out."""

from __future__ import annotations

import pytest
import torch

from training.features import VGGFeatures
from training.losses import (
    FeatureLosses,
    LatentReconstruction,
    PerceptualLoss,
    PixelLoss,
    StyleLoss,
    WhitePenalty,
    gram_matrix,
)


def test_pixel_losses() -> None:
    a, b = torch.rand(2, 2, 3, 5, 7)
    torch.testing.assert_close(PixelLoss("l1")(a, b), (a - b).abs().mean())
    torch.testing.assert_close(PixelLoss("mse")(a, b), ((a - b) ** 2).mean())


def test_huber_is_the_base_network_formula() -> None:
    a, b = 0.03 * torch.randn(2, 2, 2, 16, 16)
    beta = 1 / 110
    difference = (a - b).abs()
    near = (difference < beta).float()
    # in raw ab units, delta 1: 0.5 d^2 or d - 0.5; a distance in raw units is 110 times ours
    raw = 110 * difference
    base = (near * 0.5 * raw**2 + (1 - near) * (raw - 0.5)).mean() / 110
    assert 0.1 < near.mean() < 0.9
    torch.testing.assert_close(PixelLoss("huber")(a, b), base)


def test_a_huber_of_one_is_half_the_mean_square() -> None:
    a, b = torch.rand(2, 1, 2, 4, 4)
    torch.testing.assert_close(PixelLoss("huber", beta=1)(a, b), ((a - b) ** 2).mean() / 2)


def test_wrong_pixel_options() -> None:
    with pytest.raises(ValueError, match="l3"):
        PixelLoss("l3")
    with pytest.raises(ValueError, match="beta"):
        PixelLoss("huber", beta=0)


def test_latent_pools_the_target() -> None:
    target = torch.rand(2, 3, 16, 24)
    first, second = torch.rand(2, 2, 3, 4, 6)
    pooled = target.view(2, 3, 4, 4, 6, 4).mean((3, 5))
    expected = (pooled - first).abs().mean() + (pooled - second).abs().mean()
    torch.testing.assert_close(LatentReconstruction()(target, first, second), expected)
    one = LatentReconstruction()(target, None, second)
    torch.testing.assert_close(one, (pooled - second).abs().mean())
    assert LatentReconstruction()(target, None) == 0


def test_white_on_white_is_free_with_the_mask_and_nine_without() -> None:
    white = torch.ones(2, 3, 8, 8)
    assert WhitePenalty(mask=True)(white, white) == 0
    assert WhitePenalty(mask=False)(white, white) == 9


def test_white_penalty_counts_what_is_not_white_in_truth() -> None:
    prediction, target = torch.rand(2, 2, 3, 6, 6) * 2 - 1
    target[0, :, :3] = 0.9
    target[0, 0, 0] = 0.5
    expected = []
    for p, t in zip(prediction, target, strict=True):
        counted = [
            ((p[:, y, x] + 1) / 2).sum() ** 2
            for y in range(6)
            for x in range(6)
            if not bool((t[:, y, x] > 0.85).all())
        ]
        expected.append(sum(counted) / (3 * len(counted) + 1))
    assert sum(bool(t.min() > 0.85) for t in target.flatten(2).transpose(1, 2).flatten(0, 1)) > 0
    torch.testing.assert_close(WhitePenalty()(prediction, target), sum(expected) / 2)


def test_gram_matrix_and_style() -> None:
    a, b = torch.rand(2, 2, 4, 3, 5)
    expected = torch.einsum("bchw,bdhw->bcd", a, a) / (4 * 3 * 5)
    torch.testing.assert_close(gram_matrix(a), expected)
    torch.testing.assert_close(
        StyleLoss()([a, a], [b, a]), (gram_matrix(a) - gram_matrix(b)).abs().mean()
    )


def test_gram_matrix_stays_in_single_precision() -> None:
    half = torch.rand(1, 4, 8, 8).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert gram_matrix(half).dtype == torch.float32


def test_perceptual_norms_and_weights() -> None:
    a, b = torch.rand(2, 2, 4, 3, 5)
    torch.testing.assert_close(
        PerceptualLoss("l1", [2, 0.5])([a, b], [b, b]), 2 * (a - b).abs().mean()
    )
    torch.testing.assert_close(PerceptualLoss("mse")([a], [b]), ((a - b) ** 2).mean())
    with pytest.raises(ValueError, match="2 weights for 1"):
        PerceptualLoss("l1", [1, 1])([a], [b])
    with pytest.raises(ValueError, match="cosine"):
        PerceptualLoss("cosine")


class Counting(VGGFeatures):
    """Counts how often pictures go through."""

    passes = 0

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        self.passes += 1
        return super().forward(images)


def test_features_are_computed_once_for_both_losses() -> None:
    network = Counting("vgg16", ("relu1_2", "relu2_2"))
    losses = FeatureLosses(network, perceptual=PerceptualLoss(), style=StyleLoss())
    generated = torch.rand(2, 3, 16, 16, requires_grad=True)
    target = torch.rand(2, 3, 16, 16, requires_grad=True)
    terms = losses(generated, target)
    assert set(terms) == {"perceptual", "style"} and network.passes == 2
    sum(terms.values()).backward()
    assert generated.grad is not None and generated.grad.abs().sum() > 0
    assert target.grad is None


def test_clips_are_the_mean_over_their_frames() -> None:
    network = VGGFeatures("vgg16", ("relu1_2",))
    losses = FeatureLosses(network, perceptual=PerceptualLoss("mse"))
    a, b = torch.rand(2, 2, 3, 3, 8, 8)
    frames = [losses(a[:, t], b[:, t])["perceptual"] for t in range(3)]
    torch.testing.assert_close(losses(a, b)["perceptual"], sum(frames) / 3)
    assert set(losses(a, b)) == {"perceptual"}
