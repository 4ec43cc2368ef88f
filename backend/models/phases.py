"""Nearest-neighbour enlargement and the convolution behind it, as small convolutions."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

Padding = tuple[int, int, int, int]


class PhaseConv(nn.Module):
    """Enlarge by repetition and convolve, without making the enlarged map.

    Every output pixel of one phase (its place modulo the factor) sees the same few pixels of the
    small map, some of them several times; their kernel taps are added up once, here. For a factor
    of 2 and a 3x3 kernel that is four 2x2 kernels: 16 multiplications instead of 36.
    The result is that of the original pair up to rounding.
    """

    def __init__(self, conv: nn.Module, factor: int, uneven_padding: Padding | None = None) -> None:
        super().__init__()
        if not isinstance(conv, nn.Conv2d) or not self.serves(conv, uneven_padding):
            raise ValueError(f"{conv} cannot be taken apart into phases")
        left, _, top, _ = uneven_padding or _even_padding(conv)
        self.factor = factor
        self.groups = conv.groups
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().clone())
        self.out_channels = conv.out_channels
        self.repeats_border = conv.padding_mode in ("reflect", "replicate")
        rows, columns = conv.kernel_size
        self.row_plans = [_plan(phase, rows, top, factor) for phase in range(factor)]
        self.column_plans = [_plan(phase, columns, left, factor) for phase in range(factor)]
        self.weights = nn.ParameterList(
            _merge(_merge(conv.weight.detach(), row_plan[1], 2), column_plan[1], 3)
            for row_plan, column_plan in product(self.row_plans, self.column_plans)
        )

    @staticmethod
    def serves(conv: nn.Module, uneven_padding: Padding | None) -> bool:
        """Whether enlarging and ``conv`` can be done in phases exactly."""
        if not isinstance(conv, nn.Conv2d) or hasattr(conv, "parametrizations"):
            return False
        paddings = uneven_padding or _even_padding(conv)
        # one reflected pixel of an enlarged map is the border pixel itself
        border = conv.padding_mode == "zeros" or (
            conv.padding_mode in ("reflect", "replicate") and max(paddings) <= 1
        )
        rows, columns = conv.kernel_size
        keeps_size = paddings[0] + paddings[1] == columns - 1 and sum(paddings[2:]) == rows - 1
        return border and keeps_size and conv.stride == (1, 1) and conv.dilation == (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        reach = max(
            max(-offsets[0], offsets[-1]) for offsets, _ in self.row_plans + self.column_plans
        )
        mode = "replicate" if self.repeats_border else "constant"
        padded = functional.pad(x, (reach,) * 4, mode=mode)
        channels_last = x.is_contiguous(memory_format=torch.channels_last)
        result = torch.empty(
            (x.shape[0], self.out_channels, height * self.factor, width * self.factor),
            dtype=x.dtype,
            device=x.device,
            memory_format=torch.channels_last if channels_last else torch.contiguous_format,
        )
        phases = product(enumerate(self.row_plans), enumerate(self.column_plans))
        for weight, ((row, (rows, _)), (column, (columns, _))) in zip(
            self.weights, phases, strict=True
        ):
            window = padded[
                ...,
                reach + rows[0] : reach + rows[-1] + height,
                reach + columns[0] : reach + columns[-1] + width,
            ]
            result[..., row :: self.factor, column :: self.factor] = functional.conv2d(
                window, weight, self.bias, groups=self.groups
            )
        return result


def _even_padding(conv: nn.Conv2d) -> Padding:
    if isinstance(conv.padding, str):
        raise ValueError(f"{conv} names its padding: give a number")
    top, left = conv.padding
    return left, left, top, top


def _plan(phase: int, taps: int, before: int, factor: int) -> tuple[list[int], list[list[int]]]:
    """Which small pixels (offsets) one phase sees, and which taps fall on each of them."""
    offsets = [(phase + tap - before) // factor for tap in range(taps)]
    seen = sorted(set(offsets))
    return seen, [[tap for tap in range(taps) if offsets[tap] == offset] for offset in seen]


def _merge(weight: Tensor, groups: list[list[int]], axis: int) -> Tensor:
    """The sum of the taps of each group along ``axis``."""
    taps = weight.unbind(axis)
    sums = [torch.stack([taps[tap] for tap in group]).sum(0) for group in groups]
    return torch.stack(sums, axis)
