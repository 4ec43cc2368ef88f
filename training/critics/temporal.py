"""The temporal patch critic of the video network's refinement stage."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from backend.models.layers import spectral_norm
from backend.models.temporal import TemporalShift


class TemporalPatchDiscriminator(nn.Module):
    """Five 5x5 convolutions of stride 2, each behind a learnable shift in time.

    Chang et al., "Learnable Gated Temporal Shift Module" (2019), temporal patch critic, as Shi et
    al. (2023) use it: widths 1, 2, 4, 4 times ``width``, then 1; spectral norm on all, LeakyReLU
    0.2 on all but the last.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.options = {"in_channels": in_channels, "width": width}
        widths = (in_channels, width, 2 * width, 4 * width, 4 * width, 1)
        self.shifts = nn.ModuleList(_shift(channels) for channels in widths[:-1])
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 5, stride=2, padding=2)) for a, b in pairwise(widths)
        )

    def forward(self, clip: Tensor) -> list[Tensor]:
        """(B, T, in_channels, H, W) -> logits (B, T, 1, H/32, W/32), sides rounded up."""
        batch = clip.shape[:2]
        for index, (shift, convolution) in enumerate(
            zip(self.shifts, self.convolutions, strict=True)
        ):
            if index:
                clip = functional.leaky_relu(clip, 0.2, inplace=True)
            clip = convolution(shift(clip).flatten(0, 1)).unflatten(0, batch)
        return [clip]


def _shift(channels: int) -> TemporalShift:
    """A quarter of the channels each way; at least one, where a picture has only three."""
    return TemporalShift(channels, ratio=0.5 if channels >= 4 else 2 / channels)
