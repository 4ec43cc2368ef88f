"""The line extractor of AALDC: a coloured picture to a line drawing, by a U-Net.

The paper names it without a design (section IV-A); this one is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from backend.models.layers import ConvNormAct, crop_to, pad_to_multiple, resize

LEVELS = 5


@dataclass(frozen=True)
class LineOutput:
    """``main`` (B,1,H,W) in [-1,1], ink -1 on paper 1."""

    main: Tensor


def _double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    first = ConvNormAct(in_channels, out_channels, bias=False, norm="batch", activation="relu")
    second = ConvNormAct(out_channels, out_channels, bias=False, norm="batch", activation="relu")
    return nn.Sequential(first, second)


class LineExtractor(nn.Module):
    """U-Net of five sizes with ``width`` channels at the first (32 in full size)."""

    def __init__(self, *, width: int = 32, in_channels: int = 3) -> None:
        super().__init__()
        self.options = {"width": width, "in_channels": in_channels}
        channels = [width * 2**level for level in range(LEVELS)]
        inputs = [in_channels, *channels[:-1]]
        self.down = nn.ModuleList(
            _double_conv(before, after) for before, after in zip(inputs, channels, strict=True)
        )
        self.up = nn.ModuleList(
            _double_conv(coarse + fine, fine)
            for coarse, fine in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, color: Tensor) -> LineOutput:
        """The lines of ``color`` (B,3,H,W), sRGB in [-1,1]."""
        height, width = color.shape[-2:]
        x = self.down[0](pad_to_multiple(color, 2 ** (LEVELS - 1)))
        skips = []
        for block in self.down[1:]:
            skips.append(x)
            x = block(functional.max_pool2d(x, 2))
        for block in self.up:
            x = block(torch.cat((resize(x, 2, "bilinear_corners"), skips.pop()), 1))
        return LineOutput(crop_to(torch.tanh(self.head(x)), height, width))
