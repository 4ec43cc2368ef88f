"""Distances between pictures that need no network.

Pictures are RGB (B, 3, H, W) on the 0..255 scale, 8-bit or float; results are one number for each
picture, in double precision.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PEAK = 255.0
IDENTICAL = 99.0
"""The PSNR in dB that stands for no difference at all."""

_WINDOW = 11
_SIGMA = 1.5
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SIDE = (_WINDOW - 1) * 2 ** (len(_SCALE_WEIGHTS) - 1)
"""The smaller side of a picture has to be above this for MS-SSIM."""


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean square error of colours on the [0, 1] scale."""
    difference = (prediction.double() - target.double()) / PEAK
    return difference.square().flatten(1).mean(1)


def psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, over the three channels together, peak 255."""
    return decibels(mse(prediction, target))


def ssim(prediction: Tensor, target: Tensor) -> Tensor:
    """Structural similarity, Wang et al. (2004): Gaussian window 11, sigma 1.5, valid borders.

    Raises ValueError for pictures smaller than the window.
    """
    if min(prediction.shape[-2:]) < _WINDOW:
        raise ValueError(f"SSIM needs pictures of at least {_WINDOW} pixels a side")
    full, _ = _similarity(prediction.double(), target.double())
    return full.mean(1)


def ms_ssim(prediction: Tensor, target: Tensor) -> Tensor:
    """Structural similarity at five scales, Wang et al. (2003).

    Raises ValueError when the smaller side is not above 160 pixels.
    """
    if min(prediction.shape[-2:]) <= MS_SSIM_SIDE:
        raise ValueError(f"MS-SSIM needs pictures of more than {MS_SSIM_SIDE} pixels a side")
    x, y = prediction.double(), target.double()
    result = torch.ones(x.shape[:2], dtype=torch.float64, device=x.device)
    for scale, weight in enumerate(_SCALE_WEIGHTS):
        if scale:
            padding = [side % 2 for side in x.shape[-2:]]
            x = functional.avg_pool2d(x, 2, padding=padding)
            y = functional.avg_pool2d(y, 2, padding=padding)
        full, contrast = _similarity(x, y)
        last = scale == len(_SCALE_WEIGHTS) - 1
        result = result * (full if last else contrast).clamp(min=0).pow(weight)
    return result.mean(1)


def decibels(relative_mse: Tensor) -> Tensor:
    """-10 log10 of a mean square error over the squared peak; `IDENTICAL` where it is 0."""
    floor = torch.finfo(torch.float64).tiny
    return torch.where(relative_mse == 0, IDENTICAL, -10 * relative_mse.clamp(min=floor).log10())


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM, and its contrast and structure part, (B, C) each."""
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean_x, mean_y = _window(x), _window(y)
    var_x = _window(x * x) - mean_x.square()
    var_y = _window(y * y) - mean_y.square()
    covariance = _window(x * y) - mean_x * mean_y
    contrast = (2 * covariance + c2) / (var_x + var_y + c2)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    return (luminance * contrast).mean((2, 3)), contrast.mean((2, 3))


def _window(x: Tensor) -> Tensor:
    offsets = torch.arange(_WINDOW, dtype=x.dtype, device=x.device) - _WINDOW // 2
    kernel = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = functional.conv2d(x, kernel, groups=x.shape[1])
    return functional.conv2d(x, kernel.mT, groups=x.shape[1])
