"""Distances and histograms of colour alone, in the a and b of CIE Lab.

The metrics of Gorriz Blanch et al., "End-to-End Conditional GAN-based Architectures for Image
Colourisation" (2019), on 8-bit pictures that are encoded to Lab again.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from torch import Tensor

from training.metrics.quality import PEAK, decibels
from training.metrics.value import MetricValue

_EDGES = np.arange(-110, 110)  # 219 bins of one unit


def chroma(images: Tensor) -> NDArray[np.float64]:
    """a and b of RGB pictures (B, 3, H, W) in 0..255, as (B, H, W, 2)."""
    rgb = images.cpu().numpy().transpose(0, 2, 3, 1) / PEAK
    lab: NDArray[np.float64] = rgb2lab(rgb.astype(np.float64))
    return lab[..., 1:]


def ab_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of a and b in their own units, one number a picture."""
    difference = np.abs(chroma(prediction) - chroma(target))
    return torch.from_numpy(difference.mean((1, 2, 3)))


def ab_psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """20 log10(255 / RMSE of a and b) in dB, one number a picture: the paper's "PSNR"."""
    squares = np.square(chroma(prediction) - chroma(target)).mean((1, 2, 3))
    return decibels(torch.from_numpy(squares) / PEAK**2)


class ChromaHistograms:
    """How far the a and b of all predictions are spread like those of all truths.

    Gives the area that the two normalised histograms share (1 is equal) and the Kullback-Leibler
    divergence of the prediction's from the truth's in nats, both as the mean over a and b. For the
    divergence every bin of both counts one pixel more, so that an empty one has a logarithm.
    """

    names = ("ab_histogram_overlap", "ab_histogram_kl")

    def __init__(self) -> None:
        self.count = 0
        self.prediction = np.zeros((2, len(_EDGES) - 1))
        self.target = np.zeros((2, len(_EDGES) - 1))

    def update(self, prediction: Tensor, target: Tensor) -> None:
        self.prediction += _histogram(chroma(prediction))
        self.target += _histogram(chroma(target))
        self.count += prediction.shape[0]

    def logarithms(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Natural logarithms (2, 219) of pixels a picture, of prediction and truth.

        As in the paper's figure an empty bin has the value of the smallest that is not empty.
        """
        return (
            np.log(_filled(self.prediction / max(self.count, 1))),
            np.log(_filled(self.target / max(self.count, 1))),
        )

    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """(lower edge of the bin, logarithm) of "a", "b", "a of the truth" and "b of the truth"."""
        return {
            f"{channel}{whose}": [
                (int(edge), round(float(value), 3))
                for edge, value in zip(_EDGES[:-1], values, strict=True)
            ]
            for whose, both in zip(("", " of the truth"), self.logarithms(), strict=True)
            for channel, values in zip("ab", both, strict=True)
        }

    def compute(self) -> list[MetricValue]:
        p, q = _shares(self.prediction), _shares(self.target)
        overlap = np.minimum(p, q).sum(1).mean()
        p, q = _shares(self.prediction + 1), _shares(self.target + 1)
        divergence = (q * np.log(q / p)).sum(1).mean()
        values = (float(overlap), float(divergence))
        return [
            MetricValue(name, value, self.count)
            for name, value in zip(self.names, values, strict=True)
        ]


def _histogram(ab: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = [np.histogram(ab[..., channel], _EDGES)[0] for channel in range(2)]
    histogram: NDArray[np.float64] = np.array(counts, dtype=np.float64)
    return histogram


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(1, keepdims=True), 1e-300)
    return shares


def _filled(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    filled: NDArray[np.float64] = counts.copy()
    for row in filled:
        if row.any():
            row[row == 0] = row[row > 0].min()
    return filled
