"""The salient loss and the classical saliency map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.filters import threshold_otsu
from torch import Tensor

from training.losses import ClassicalSaliency, SaliencyLoss
from training.losses.saliency import otsu_threshold


def to_rgb(gray: Tensor, ab: Tensor) -> Tensor:
    return torch.cat([gray, ab], 1).sigmoid()


def left_half(rgb: Tensor) -> Tensor:
    mask = torch.zeros_like(rgb[:, :1])
    mask[..., : rgb.shape[-1] // 2] = 0.7
    return mask


def by_color(rgb: Tensor) -> Tensor:
    """Salient where there is more of the last channel than of the second."""
    return (rgb[:, 2:] - rgb[:, 1:2] + 0.5).clamp(0, 1)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ab = torch.randn(2, 2, 2, 6, 6, generator=generator)
    return ab[0].requires_grad_(True), ab[1], torch.randn(2, 1, 6, 6, generator=generator)


def test_only_what_is_salient_counts(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    prediction, target, gray = batch
    loss = SaliencyLoss(left_half, to_rgb=to_rgb)(prediction, target, gray)
    inside = (prediction - target)[..., :3].abs().sum() / target.numel()
    torch.testing.assert_close(loss, inside)
    loss.backward()
    assert prediction.grad is not None
    assert prediction.grad[..., :3].abs().min() > 0
    assert prediction.grad[..., 3:].abs().max() == 0


def test_each_has_its_own_mask(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    prediction, target, gray = batch
    of_prediction = by_color(to_rgb(gray, prediction)) >= 0.5
    of_target = by_color(to_rgb(gray, target)) >= 0.5
    assert not torch.equal(of_prediction, of_target)
    own = SaliencyLoss(by_color, to_rgb=to_rgb)(prediction, target, gray)
    torch.testing.assert_close(own, (of_target * target - of_prediction * prediction).abs().mean())
    shared = SaliencyLoss(by_color, to_rgb=to_rgb, mask_prediction="truth")
    expected = (of_target * (target - prediction)).abs().mean()
    torch.testing.assert_close(shared(prediction, target, gray), expected)


def test_a_known_map_spares_the_backend(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    prediction, target, gray = batch

    def never(_rgb: Tensor) -> Tensor:
        pytest.fail("the map of the truth is known")

    loss = SaliencyLoss(never, to_rgb=to_rgb, mask_prediction="truth")
    known = left_half(gray)
    inside = (prediction - target)[..., :3].abs().sum() / target.numel()
    torch.testing.assert_close(loss(prediction, target, gray, known), inside)


def test_in_rgb(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    prediction, target, gray = batch
    loss = SaliencyLoss(left_half, to_rgb=to_rgb, space="rgb")(prediction, target, gray)
    difference = (to_rgb(gray, prediction) - to_rgb(gray, target)).abs()
    torch.testing.assert_close(loss, difference[..., :3].sum() / difference.numel())


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="lab"):
        SaliencyLoss(left_half, to_rgb=to_rgb, space="lab")
    with pytest.raises(ValueError, match="both"):
        SaliencyLoss(left_half, to_rgb=to_rgb, mask_prediction="both")


def test_otsu_is_that_of_skimage() -> None:
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.normal(0.3, 0.05, 600), generator.normal(0.7, 0.1, 424)])
    values = np.clip(values, 0, 1).reshape(1, 1, 32, 32).astype(np.float32)
    ours = float(otsu_threshold(torch.from_numpy(values)))
    assert ours == pytest.approx(threshold_otsu(values), abs=2 / 256)


def test_a_coloured_blob_is_salient_on_a_calm_ground() -> None:
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    blob = ((rows - 40) ** 2 + (columns - 80) ** 2 < 18**2).float()
    rgb = torch.stack([0.4 + 0.5 * blob, 0.55 - 0.4 * blob, 0.5 - 0.3 * blob])[None]
    mask = ClassicalSaliency()(rgb)
    assert mask.shape == (1, 1, 96, 128)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    overlap = (mask[0, 0] * blob).sum() / torch.maximum(mask[0, 0], blob).sum()
    assert overlap > 0.6


def test_an_even_picture_has_nothing_salient() -> None:
    assert ClassicalSaliency()(torch.full((1, 3, 64, 64), 0.5)).mean() < 0.5
