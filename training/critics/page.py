"""Critics of whole pages: one logit for a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from backend.models.layers import pad_to_multiple
from backend.models.seresnext import SEResNeXtBlock
from training.critics.spectral import spectral_convolutions

_GROUPS = 8
_CELLS = 4


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.2, inplace=True)


class GlobalDiscriminator(nn.Module):
    """The manga critic, which sees the colour picture alone.

    Golyadkin and Makarov, "Semi-automatic Manga Colorization" (2020): 3x3 convolutions, then four
    stages of grouped bottlenecks with squeeze-and-excitation, each halving the picture, a global
    mean and a linear layer. Spectral norm on every convolution. ``release`` keeps the padding of
    the released network: none on the second convolution, one pixel on the last 1x1.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64, release: bool = False) -> None:
        super().__init__()
        self.options = {"in_channels": in_channels, "width": width, "release": release}
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, width, 3, padding=1),
            _leaky(),
            nn.Conv2d(width, width, 3, stride=2, padding=0 if release else 1),
            _leaky(),
        ]
        for factor in (1, 2, 4, 8):
            channels = factor * width
            if factor > 1:
                padding = 1 if release and factor == 8 else 0
                layers += [nn.Conv2d(channels // 2, channels, 1, padding=padding, bias=False)]
                layers += [_leaky()]
            layers += [_gated(channels), _gated(channels, stride=2)]
        layers += [_gated(8 * width), _gated(8 * width)]
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(8 * width, 1)
        spectral_convolutions(self)

    def forward(self, color: Tensor) -> list[Tensor]:
        """Colour (B, in_channels, H, W) in [-1, 1] -> logits (B, 1)."""
        return [self.out(self.layers(color).mean((2, 3)))]


class AlacGANDiscriminator(nn.Module):
    """The critic of Ci et al., "User-Guided Deep Anime Line Art Colorization" (2018).

    Sees the colour picture, and from a sixteenth of the size on the local features of the drawing,
    (B, 8 ``width``, H/16, W/16). No bias, no norm; a Wasserstein critic, so the logit is a score.
    The last convolution takes in 4x4 cells: a page larger than 512 px gives a score for each
    place, and the cells of a smaller one are repeated at the border.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.options = {"in_channels": in_channels, "width": width}
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, width, 7, padding=3, bias=False),
            _leaky(),
            nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False),
            _leaky(),
        ]
        for factor in (1, 2, 4):
            channels = factor * width
            if factor > 1:
                layers += [nn.Conv2d(channels // 2, channels, 1, bias=False), _leaky()]
            layers += [
                SEResNeXtBlock(channels, _GROUPS, excitation=False),
                SEResNeXtBlock(channels, _GROUPS, stride=2, excitation=False),
            ]
        self.color = nn.Sequential(*layers)
        wide = 8 * width
        layers = [nn.Conv2d(12 * width, wide, 3, padding=1, bias=False), _leaky()]
        for _ in range(3):
            layers += [
                SEResNeXtBlock(wide, _GROUPS, excitation=False),
                SEResNeXtBlock(wide, _GROUPS, stride=2, excitation=False),
            ]
        layers += [SEResNeXtBlock(wide, _GROUPS, excitation=False)]
        self.joined = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.Conv2d(wide, wide, _CELLS, bias=False), _leaky())
        self.out = nn.Linear(wide, 1)

    def forward(self, color: Tensor, features: Tensor) -> list[Tensor]:
        """Colour (B, 3, H, W) -> scores (B, n): one at 512 px, more for a larger page."""
        hidden = self.joined(torch.cat([self.color(color), features], 1))
        hidden = self.last(pad_to_multiple(hidden, 1, minimum=_CELLS))
        return [self.out(hidden.flatten(2).mT).flatten(1)]


def _gated(channels: int, stride: int = 1) -> SEResNeXtBlock:
    return SEResNeXtBlock(channels, _GROUPS, stride=stride)
