"""Distances in a and b against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from training.metrics import ChromaHistograms, ab_l1, ab_psnr


def random(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 12, 10), generator=generator, dtype=torch.uint8)


def test_distances_in_raw_units() -> None:
    a, b = random(2, 0), random(2, 1)
    for index in range(2):
        x, y = (rgb2lab(p[index].permute(1, 2, 0).numpy())[..., 1:] for p in (a, b))
        assert float(ab_l1(a, b)[index]) == pytest.approx(np.abs(x - y).mean())
        expected = 20 * np.log10(255 / np.sqrt(((x - y) ** 2).mean()))
        assert float(ab_psnr(a, b)[index]) == pytest.approx(expected)
    assert ab_psnr(a, a).tolist() == [99.0, 99.0]


def test_the_papers_own_check_of_its_psnr() -> None:
    # 26.77 dB stands for a root mean square of 11.7 units
    assert 20 * np.log10(255 / 11.7) == pytest.approx(26.77, abs=0.01)


def test_light_alone_makes_no_difference() -> None:
    dark = torch.full((1, 3, 8, 8), 40, dtype=torch.uint8)
    light = torch.full((1, 3, 8, 8), 220, dtype=torch.uint8)
    assert float(ab_l1(dark, light)) < 0.02


def test_equal_histograms() -> None:
    histograms = ChromaHistograms()
    a = random(3, 2)
    histograms.update(a, a)
    overlap, divergence = histograms.compute()
    assert (overlap.name, overlap.value, overlap.count) == ("ab_histogram_overlap", 1.0, 3)
    assert divergence.value == pytest.approx(0, abs=1e-12)


def test_grey_predictions_overlap_little() -> None:
    histograms = ChromaHistograms()
    truth = random(2, 3)
    for picture in truth:
        gray = picture.float().mean(0, keepdim=True).expand(3, -1, -1).to(torch.uint8)
        histograms.update(gray[None], picture[None])
    overlap, divergence = histograms.compute()
    lab = rgb2lab(truth.permute(0, 2, 3, 1).numpy())[..., 1:]
    expected = []
    for channel in range(2):
        counts = np.histogram(lab[..., channel], np.arange(-110, 110))[0] + 1
        gray = np.ones(219)
        gray[histograms.prediction[channel] > 0] += histograms.prediction[channel].max()
        q, p = counts / counts.sum(), gray / gray.sum()
        expected.append((q * np.log(q / p)).sum())
    assert (histograms.prediction > 0).sum(1).tolist() == [1, 1], "all grey is in one bin"
    assert overlap.value is not None and overlap.value < 0.1
    assert divergence.value == pytest.approx(np.mean(expected))


def test_logarithms_fill_empty_bins_with_the_smallest() -> None:
    histograms = ChromaHistograms()
    red = torch.tensor([200, 20, 20], dtype=torch.uint8).view(1, 3, 1, 1).expand(-1, -1, 4, 5)
    histograms.update(red, red)
    logarithms, _ = histograms.logarithms()
    assert logarithms.shape == (2, 219)
    np.testing.assert_allclose(logarithms, np.log(20))


def test_curves_are_the_logarithms_over_their_bins() -> None:
    histograms = ChromaHistograms()
    gray = torch.full((1, 3, 4, 5), 128, dtype=torch.uint8)
    histograms.update(gray, gray)
    curves = histograms.curves()
    assert set(curves) == {"a", "b", "a of the truth", "b of the truth"}
    assert all([edge for edge, _ in curve] == list(range(-110, 109)) for curve in curves.values())
    assert {value for _, value in curves["a"]} == {round(float(np.log(20)), 3)}
