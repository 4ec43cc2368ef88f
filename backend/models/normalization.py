"""Normalisation layers and adaptive instance normalisation, made by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

NORMS = ("none", "batch", "instance", "instance_affine", "sample", "ibn_split", "ibn_seq")


def instance_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise each channel of each picture of ``x`` (B,C,H,W) over its pixels.

    Groups of one channel: the same values as ``instance_norm`` of torch, several times faster
    on a CPU and without a copy for channels_last. A channel of one pixel becomes its ``bias``.
    """
    return torch.group_norm(x, x.shape[1], weight, bias, eps)


def adain(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Adaptive instance normalisation: instance-normalise, times scale, plus shift.

    ``x`` (B,C,H,W); ``shift`` and ``scale`` (B,C) or (1,C). Huang and Belongie 2017, eq. 8.
    """
    if scale.shape[0] == 1:
        return instance_norm(x, scale[0], shift[0])
    return torch.addcmul(shift[:, :, None, None], instance_norm(x), scale[:, :, None, None])


class InstanceNorm(nn.Module):
    """Instance normalisation (Ulyanov et al. 2016), with a gain and a bias if ``affine``."""

    def __init__(self, channels: int, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        return instance_norm(x, self.weight, self.bias)


class SampleNorm(nn.Module):
    """Over rows, columns and channels of one sample, with a single gain and a single bias.

    The layer that the ibn_gan release calls instance normalisation: the statistics of the whole
    sample, and ``eps`` added to the standard deviation instead of the variance.
    """

    def __init__(self, eps: float = 1e-3) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, (1, 2, 3), correction=0, keepdim=True)
        # a constant sample has no gradient through the root
        deviation = variance.clamp_min(torch.finfo(torch.float32).tiny).sqrt()
        return (x - mean) * (self.weight / (deviation + self.eps)) + self.bias


class InstanceBatchNorm(nn.Module):
    """IBN-a: the first half of the channels instance-, the second half batch-normalised.

    Pan et al., ECCV 2018, figure 3a.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.split = channels // 2
        self.instance = InstanceNorm(self.split, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.split)

    def forward(self, x: Tensor) -> Tensor:
        instance, batch = x.split((self.split, x.shape[1] - self.split), 1)
        return torch.cat((self.instance(instance), self.batch(batch)), 1)


def make_norm(kind: str, channels: int) -> nn.Module:
    """The normalisation layer called ``kind`` for ``channels`` channels.

    ``none``, ``batch``, ``instance`` (without gain), ``instance_affine``, ``sample`` (over the
    whole sample), ``ibn_split`` (halves), ``ibn_seq`` (batch, then instance).
    Raises ``ValueError`` for any other name.
    """
    if kind == "none":
        return nn.Identity()
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind in ("instance", "instance_affine"):
        return InstanceNorm(channels, affine=kind == "instance_affine")
    if kind == "sample":
        return SampleNorm()
    if kind == "ibn_split":
        return InstanceBatchNorm(channels)
    if kind == "ibn_seq":
        return nn.Sequential(nn.BatchNorm2d(channels), InstanceNorm(channels, affine=True))
    raise ValueError(f"unknown norm {kind!r}: use one of {', '.join(NORMS)}")
