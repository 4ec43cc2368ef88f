"""Gated convolutions whose features look at the frames before and after, on (B, T, C, H, W)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from backend.models.layers import ConvNormAct, ResizeConvUp, choose

SHIFTS = ("learnable", "fixed", "none")


class TemporalShift(nn.Module):
    """Filters along time on the first channels of a clip; the others stay as they are.

    ``ratio`` of the channels are filtered, in ``groups`` groups with ``width`` taps each, frames
    outside the clip being zero. The first group begins as a shift that brings in the next frame,
    the second the previous one, and so on in turns (Chang et al., BMVC 2019, LGTSM).
    ``learnable`` False keeps the shifts as they begin.
    """

    def __init__(
        self,
        channels: int,
        ratio: float = 0.5,
        groups: int = 2,
        width: int = 3,
        learnable: bool = True,
    ) -> None:
        super().__init__()
        if width % 2 == 0 or width < 3:
            raise ValueError(f"width={width}: a temporal filter has an odd number of taps from 3")
        self.fold = int(channels * ratio) // groups
        if self.fold < 1:
            raise ValueError(f"{channels} channels are too few for {groups} groups of {ratio}")
        taps = torch.zeros(groups, width)
        taps[0::2, -1] = 1
        taps[1::2, 0] = 1
        self.taps = nn.Parameter(taps, requires_grad=learnable)

    def forward(self, clip: Tensor) -> Tensor:
        channels, _, columns = clip.shape[2:]
        taps = self._taps(clip)
        if clip[0].is_contiguous(memory_format=torch.channels_last) and channels > 1:
            # whole rows are eight times as fast to multiply as one pixel's channels after another
            rows = clip.movedim(2, 4).flatten(3)
            mixed: Tensor = _filtered(rows, taps.repeat(1, columns)).unflatten(
                3, (columns, channels)
            )
            return mixed.movedim(4, 2)
        return _filtered(clip, taps[..., None, None], self.fold * len(self.taps))

    def _taps(self, clip: Tensor) -> Tensor:
        """The filters of all channels, (width, channels): one at the centre where nothing moves."""
        moving = self.taps.to(clip.dtype).t().repeat_interleave(self.fold, 1)
        still = clip.new_zeros(moving.shape[0], clip.shape[2] - moving.shape[1])
        still[moving.shape[0] // 2] = 1
        return torch.cat((moving, still), 1)


def _filtered(frames: Tensor, taps: Tensor, moving: int | None = None) -> Tensor:
    """Frames (B, T, N, ...) mixed with those around them by ``taps`` (width, ...), zero outside.

    Of the axis N only the first ``moving`` are mixed, None: all.
    """
    count, center = frames.shape[1], taps.shape[0] // 2
    result = frames * taps[center]
    for tap, weights in enumerate(taps):
        offset = tap - center
        if offset and abs(offset) < count:
            source = frames[:, max(offset, 0) : count + min(offset, 0), :moving]
            target = result[:, max(-offset, 0) : count + min(-offset, 0), :moving]
            target.addcmul_(source, weights[:moving] if moving else weights)
    return result


class GatedConv(nn.Module):
    """activation(conv(x)) times sigmoid(conv(x)) (Yu et al., ICCV 2019), on (B, C, H, W).

    ``factor`` above 1 enlarges by repetition before the convolutions. Further options are those
    of `ConvNormAct`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        factor: int = 1,
        activation: str = "leaky_relu",
        **options: Any,
    ) -> None:
        super().__init__()
        sizes = (in_channels, out_channels, kernel_size)
        self.feature: nn.Module
        self.gate: nn.Module
        if factor == 1:
            self.feature = ConvNormAct(*sizes, activation=activation, **options)
            self.gate = ConvNormAct(*sizes, activation="sigmoid", **options)
        else:
            self.feature = ResizeConvUp(*sizes, factor=factor, activation=activation, **options)
            self.gate = ResizeConvUp(*sizes, factor=factor, activation="sigmoid", **options)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.gate(x) * self.feature(x)
        return result


class GatedTSMConv(GatedConv):
    """Gated convolution whose feature half, but not its gate, sees the shifted clip.

    RLAV section 3.3 with LGTSM: takes and gives (B, T, C, H, W).
    ``shift``: learnable, fixed or none.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        shift: str = "learnable",
        **options: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, **options)
        choose("shift", shift, SHIFTS)
        self.shift: nn.Module = nn.Identity()
        if shift != "none":
            self.shift = TemporalShift(in_channels, learnable=shift == "learnable")

    def forward(self, clip: Tensor) -> Tensor:
        gate = self.gate(clip.flatten(0, 1))
        feature = self.feature(self.shift(clip).flatten(0, 1))
        result: Tensor = (gate * feature).unflatten(0, clip.shape[:2])
        return result
