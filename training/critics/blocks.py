"""The grouped bottleneck of the page critics."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.models.attention import SqueezeExcitation
from backend.models.layers import spectral as normalise


class GroupedBottleneck(nn.Module):
    """x + expand(grouped(reduce(x))) without normalisation, LeakyReLU 0.2 between.

    Xie et al., "Aggregated Residual Transformations" (2017), as the page critics use it: half the
    channels inside, no bias, nothing after the sum. ``squeeze`` adds squeeze-and-excitation (Hu et
    al., 2018) before the sum. With ``stride`` 2 the grouped convolution is 4x4 and the shortcut a
    2x2 average.
    """

    def __init__(
        self,
        channels: int,
        groups: int = 8,
        *,
        stride: int = 1,
        squeeze: bool = False,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        inner = max(channels // 2, 1)
        groups = math.gcd(groups, inner)  # a narrow network has no eight groups
        self.reduce = nn.Conv2d(channels, inner, 1, bias=False)
        self.grouped = nn.Conv2d(
            inner, inner, 2 + stride, stride, padding=1, groups=groups, bias=False
        )
        self.expand = nn.Conv2d(inner, channels, 1, bias=False)
        self.gate: nn.Module = SqueezeExcitation(channels) if squeeze else nn.Identity()
        self.shortcut: nn.Module = nn.Identity() if stride == 1 else nn.AvgPool2d(2)
        if spectral:
            spectral_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.leaky_relu(self.reduce(x), 0.2)
        hidden = functional.leaky_relu(self.grouped(hidden), 0.2)
        joined: Tensor = self.gate(self.expand(hidden)) + self.shortcut(x)
        return joined


def spectral_convolutions(module: nn.Module) -> None:
    """Give every convolution inside ``module`` spectral normalisation, once."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv2d) and not torch.nn.utils.parametrize.is_parametrized(layer):
            normalise(layer)
