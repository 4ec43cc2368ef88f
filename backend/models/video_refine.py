"""The temporal refinement network of RLAV: coloured frames of a clip, made consistent.

Shi et al., Reference-Based Deep Line Art Video Colorization, TVCG 2023, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.layers import crop_to, pad_to_multiple
from backend.models.temporal import GatedTSMConv

DILATIONS = (2, 4, 8, 16)


@dataclass(frozen=True)
class RefinementOutput:
    """``main`` (B,T,3,H,W) sRGB in [-1,1], the references among the frames included."""

    main: Tensor


class TemporalRefinementNet(nn.Module):
    """A U-Net of gated convolutions with learnable temporal shift.

    ``width``: channels of the first layer (64 in the paper). ``downs``: how many of the three
    encoder layers halve, 3 (self-consistent reading) or 2 (the first then is 5x5 at full size).
    ``skip``: join encoder features. ``shift``: learnable, fixed or none. ``spectral``: spectral
    norm on all convolutions. Raises ``ValueError`` for an option it does not know.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        downs: int = 3,
        skip: bool = True,
        shift: str = "learnable",
        spectral: bool = True,
    ) -> None:
        super().__init__()
        if downs not in (2, 3):
            raise ValueError(f"downs={downs}: use 2 or 3")
        self.options = {
            "width": width,
            "downs": downs,
            "skip": skip,
            "shift": shift,
            "spectral": spectral,
        }
        self.stride = 2**downs
        self.skip = skip
        shared: dict[str, Any] = {"shift": shift, "spectral": spectral}
        half: dict[str, Any] = {"stride": 2, "padding": 1, **shared}
        twice, deep = 2 * width, 4 * width
        first = (
            GatedTSMConv(4, width, 4, **half) if downs == 3 else GatedTSMConv(4, width, 5, **shared)
        )
        self.encoder = nn.ModuleList(
            [first, GatedTSMConv(width, twice, 4, **half), GatedTSMConv(twice, deep, 4, **half)]
        )
        self.middle = nn.Sequential(
            *(GatedTSMConv(deep, deep, dilation=dilation, **shared) for dilation in DILATIONS)
        )
        joined = 2 if skip else 1
        self.decoder = nn.ModuleList(
            [
                GatedTSMConv(joined * deep, twice, factor=2, **shared),
                GatedTSMConv(joined * twice, width, factor=2, **shared),
                GatedTSMConv(
                    joined * width, 3, factor=2 if downs == 3 else 1, activation="none", **shared
                ),
            ]
        )

    def forward(self, clip: Tensor) -> RefinementOutput:
        """Refine ``clip`` (B,T,4,H,W): line and colour of each frame in time order, in [-1,1]."""
        height, width = clip.shape[-2:]
        x = pad_to_multiple(clip, self.stride)
        skips = []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        x = self.middle(x)
        for layer in self.decoder:
            if self.skip:
                # joined as pictures, so that channels_last survives
                pair = (x.flatten(0, 1), skips.pop().flatten(0, 1))
                x = torch.cat(pair, 1).unflatten(0, clip.shape[:2])
            x = layer(x)
        return RefinementOutput(crop_to(torch.tanh(x), height, width))
