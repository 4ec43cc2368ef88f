"""The border finder: where regions of different paint meet in a line drawing, lines or not.

Ours, not a paper's: a U-Net that carries broken lines on and sees shadows, cheeks and highlights
that no line bounds, told by where hints have been put and in what colours. Where such a border
runs is often less sure than which hint a pixel belongs to: it says that, too, by an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as functional
from torch import Tensor, nn

from .layers import ConvNormAct, ResidualBlock, crop_to, pad_to_multiple, resize

INPUTS = 5  # ink, whether there is a hint, its red, green and blue
STEPS = (1, 2, 4, 6, 8)  # channels of each size, in widths
SIZES = 2 ** len(STEPS)  # what the sides of a picture are multiples of inside


@dataclass(frozen=True)
class BorderOutput:
    """``main`` (B, 1, H, W): the logit of a border at each pixel.

    ``embedding`` (B, D, ceil(H / 2), ceil(W / 2)): the nearer a pixel's is to a hint's, the
    likelier it has the hint's colour; squared distances are differences of log-likelihood.
    """

    main: Tensor
    embedding: Tensor


class BorderFinder(nn.Module):
    """``width``: channels at half size, the finest that it works at. ``embedding``: its length."""

    def __init__(self, *, width: int = 16, embedding: int = 8) -> None:
        super().__init__()
        self.options = {"width": width, "embedding": embedding}
        channels = [width * step for step in STEPS]
        self.stem = nn.Sequential(
            ConvNormAct(INPUTS, width, 5, 2, bias=False, norm="batch", activation="relu"),
            ResidualBlock(width),
        )
        self.down = nn.ModuleList(
            nn.Sequential(
                ConvNormAct(before, after, 3, 2, bias=False, norm="batch", activation="relu"),
                ResidualBlock(after),
                ResidualBlock(after),
            )
            for before, after in pairwise(channels)
        )
        self.lateral = nn.ModuleList(
            ConvNormAct(coarse, fine, 1, bias=False, norm="batch")
            for coarse, fine in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.smooth = nn.ModuleList(ResidualBlock(fine) for fine in channels[-2::-1])
        self.head = nn.Conv2d(width, 4, 3, padding=1)
        self.embed = nn.Conv2d(width, embedding, 3, padding=1)

    def forward(self, drawing: Tensor) -> BorderOutput:
        """drawing: (B, 5, H, W): ink in [0, 1], 1 where there is a hint, its RGB in [0, 1]."""
        height, width = drawing.shape[-2:]
        x = self.stem(pad_to_multiple(drawing, SIZES))
        skips = []
        for block in self.down:
            skips.append(x)
            x = block(x)
        for lateral, smooth in zip(self.lateral, self.smooth, strict=True):
            x = smooth(resize(lateral(x), 2, "bilinear") + skips.pop())
        fine = functional.pixel_shuffle(self.head(x), 2)
        embedding = crop_to(self.embed(x), -(-height // 2), -(-width // 2))
        return BorderOutput(crop_to(fine, height, width), embedding)
