"""The Frechet distance against scipy's root of a matrix and against pytorch-fid."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.metrics import FrechetDistance, Moments, frechet_distance
from training.metrics.frechet import InceptionFeatures
from training.torchvision_shim import import_pytorch_fid


def samples(count: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=generator)
    rows = torch.randn(count, width, generator=generator) @ mixing + seed
    return rows.double()


def by_square_root(a: Tensor, b: Tensor, ridge: float = 0) -> float:
    """The textbook formula."""
    covariances = [np.cov(x.numpy(), rowvar=False) + ridge * np.eye(x.shape[1]) for x in (a, b)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    means = (a.mean(0) - b.mean(0)).numpy()
    return float(means @ means + np.trace(covariances[0] + covariances[1] - 2 * root))


def moments(rows: Tensor) -> Moments:
    collected = Moments()
    for part in rows.split(7):
        collected.update(part)
    return collected


def test_moments_of_batches_are_those_of_the_whole() -> None:
    rows = samples(50, 6, 3) + 1000
    collected = moments(rows)
    np.testing.assert_allclose(collected.mean.numpy(), rows.numpy().mean(0))
    np.testing.assert_allclose(
        collected.covariance().numpy(), np.cov(rows.numpy(), rowvar=False), rtol=1e-9
    )
    assert collected.count == 50


def test_eigenvalue_form_equals_the_square_root() -> None:
    a, b = samples(300, 40, 1), samples(200, 40, 2)
    first, second = moments(a), moments(b)
    ours = frechet_distance(first.mean, first.covariance(), second.mean, second.covariance())
    assert ours == pytest.approx(by_square_root(a, b), rel=1e-8)


def test_singular_covariances() -> None:
    a, b = samples(12, 40, 1), samples(15, 40, 2)
    first, second = moments(a), moments(b)
    ours = frechet_distance(first.mean, first.covariance(), second.mean, second.covariance())
    # the root of the product is the nuclear norm of the product of the centred rows
    x, y = ((r - r.mean(0)) / (len(r) - 1) ** 0.5 for r in (a, b))
    expected = (
        (a.mean(0) - b.mean(0)).square().sum()
        + x.square().sum()
        + y.square().sum()
        - 2 * torch.linalg.matrix_norm(x @ y.mT, "nuc")
    )
    assert ours == pytest.approx(float(expected), rel=1e-6)


def test_gaussians_with_a_known_distance() -> None:
    mean, other = torch.zeros(3), torch.tensor([3.0, 0, 4.0])
    distance = frechet_distance(mean, torch.eye(3), other, 4 * torch.eye(3))
    assert distance == pytest.approx(25 + 3 * (1 + 4 - 2 * 2))
    assert frechet_distance(mean, torch.eye(3), mean, torch.eye(3)) == pytest.approx(0, abs=1e-9)


class Means(nn.Module):
    """The three channel means."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def test_over_batches_of_pictures(caplog: pytest.LogCaptureFixture) -> None:
    metric = FrechetDistance("fid", Means())
    generator = torch.Generator().manual_seed(0)
    ours, theirs = torch.rand(2, 20, 3, 4, 4, generator=generator)
    for i in range(0, 20, 5):
        metric.update(ours[i : i + 5], theirs[i : i + 5])
    (value,) = metric.compute()
    assert value.count == 20
    assert value.value == pytest.approx(
        by_square_root(ours.mean((2, 3)).double(), theirs.mean((2, 3)).double()), rel=1e-5
    )
    assert not caplog.records


def test_few_pictures_are_told(caplog: pytest.LogCaptureFixture) -> None:
    metric = FrechetDistance("fid", Means())
    metric.update(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4))
    (value,) = metric.compute()
    assert value.value is None and "two pictures" in value.reason
    metric.update(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4))
    with caplog.at_level(logging.WARNING, "nuri.training"):
        assert metric.compute()[0].value is not None
    assert "fid of 2 pictures" in caplog.text


def test_inception_features_are_those_of_pytorch_fid(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    ours = InceptionFeatures()
    state = ours.network.state_dict()
    theirs = import_pytorch_fid()
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_a, **_k: state)
    reference = theirs.InceptionV3([3]).eval()
    images = torch.rand(2, 3, 70, 90)
    with torch.inference_mode():
        expected = reference(images)[0].flatten(1)
        assert expected.std() > 0
        torch.testing.assert_close(ours(2 * images - 1), expected, rtol=1e-3, atol=1e-6)
    ours.load(state, "a file")
    with pytest.raises(TrainingError, match="a file is not the Inception"):
        ours.load({"conv.weight": torch.ones(1)}, "a file")
