"""Where in the references the colours of a drawing come from: three kinds of attention.

All have one calling convention, so that every reference-based generator takes any of them:
``module(query, keys, values)`` with a query map (B, C, H, W), and for each of K references one
key map and one value map (B or 1, C, h, w). The answer is a map (B, C, H, W).
What depends on the references alone can be computed once: ``references =
module.encode_references(keys, values)``, then ``module.attend(query, references)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

CORRESPONDENCES = ("sga", "scft", "distance")
SCORES_AT_ONCE = 2**24  # how many entries of an attention matrix may exist at a time


@dataclass(frozen=True)
class References:
    """What a correspondence keeps of its references; only the module that made it reads it."""

    keys: Tensor
    values: tuple[Tensor, ...]
    masks: tuple[tuple[Tensor, Tensor], ...] = ()


def to_tokens(x: Tensor) -> Tensor:
    """A map (B,C,H,W) as tokens (B,H*W,C), row by row: a view of the map."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def to_map(tokens: Tensor, like: Tensor) -> Tensor:
    """Tokens (B,H*W,C) as a map of the height, the width and the memory format of ``like``."""
    result: Tensor = tokens.transpose(1, 2).unflatten(2, like.shape[-2:])
    channels_last = like.is_contiguous(memory_format=torch.channels_last)
    return result if channels_last else result.contiguous()


def attend(query: Tensor, keys: Tensor, values: Tensor, scale: float | None = None) -> Tensor:
    """Softmax attention of tokens (B,N,c) over (B or 1,M,c), in memory linear in N and M.

    Under autocast it computes in float32: scores of many channels would change in half precision.
    """
    if torch.is_autocast_enabled(query.device.type):
        with torch.autocast(query.device.type, enabled=False):
            return attend(query.float(), keys.float(), values.float(), scale)
    # only tokens whose channels lie side by side get the kernel that keeps no matrix
    query, keys, values = (each.contiguous().unsqueeze(1) for each in (query, keys, values))
    keys, values = (each.expand(query.shape[0], -1, -1, -1) for each in (keys, values))
    mixed = functional.scaled_dot_product_attention(query, keys, values, scale=scale)
    return mixed.squeeze(1)


def column_sums(query: Tensor, keys: Tensor) -> Tensor:
    """The sums over the queries of softmax(query keys^T), (B,M,1), a few queries at a time."""
    rows = max(1, SCORES_AT_ONCE // keys.shape[1])
    parts = (
        torch.softmax(part @ keys.transpose(1, 2), -1).sum(1) for part in query.split(rows, dim=1)
    )
    return torch.stack(list(parts)).sum(0).unsqueeze(-1)


class Correspondence(nn.Module, ABC):
    """The calling convention of this module."""

    @abstractmethod
    def encode_references(self, keys: Sequence[Tensor], values: Sequence[Tensor]) -> References:
        """All that does not depend on the query, for any number of references."""

    @abstractmethod
    def attend(self, query: Tensor, references: References) -> Tensor:
        """The map that the query (B,C,H,W) draws from the references, (B,C,H,W)."""

    def forward(self, query: Tensor, keys: Sequence[Tensor], values: Sequence[Tensor]) -> Tensor:
        if not keys or len(keys) != len(values):
            raise ValueError(
                f"{len(keys)} key maps and {len(values)} value maps: give one of each per reference"
            )
        return self.attend(query, self.encode_references(keys, values))


class StopGradientAttention(Correspondence):
    """SGA (Li et al., ECCV 2022; AALDC section 3.2): attention without projections.

    A = softmax over the references of X Y^T, then every column over its sum; the answer is
    BN(A LReLU(W_m Y) + LReLU(W_s X)) + X, X the query and Y the references. No gradient passes
    through A. ``column_norm`` and ``stop_gradient`` False leave these two out.
    """

    def __init__(
        self, channels: int, *, column_norm: bool = True, stop_gradient: bool = True
    ) -> None:
        super().__init__()
        self.column_norm = column_norm
        self.stop_gradient = stop_gradient
        self.message = nn.Linear(channels, channels)
        self.source = nn.Linear(channels, channels)
        self.norm = nn.BatchNorm1d(channels)

    def encode_references(self, keys: Sequence[Tensor], values: Sequence[Tensor]) -> References:
        message = torch.cat([self.message(to_tokens(value)) for value in values], 1)
        message = functional.leaky_relu(message, 0.2, inplace=True)
        return References(torch.cat([to_tokens(key) for key in keys], 1), (message,))

    def attend(self, query: Tensor, references: References) -> Tensor:
        tokens = to_tokens(query)
        source = functional.leaky_relu(self.source(tokens), 0.2, inplace=True)
        mixed = self._mix(tokens, references.keys, references.values[0]).to(source.dtype) + source
        # a batch norm over tokens: the statistics are those of the (B, C, N) layout
        result = self.norm(mixed.flatten(0, 1)).view_as(tokens) + tokens
        return to_map(result, query)

    def attention(self, query: Tensor, keys: Sequence[Tensor]) -> Tensor:
        """The matrix A (B,N,M) itself, to look at: its memory is quadratic."""
        tokens = to_tokens(query)
        references = torch.cat([to_tokens(key) for key in keys], 1)
        if self.stop_gradient:
            tokens, references = tokens.detach(), references.detach()
        matrix = torch.softmax(tokens @ references.transpose(1, 2), -1)
        return functional.normalize(matrix, p=1, dim=1) if self.column_norm else matrix

    def _mix(self, tokens: Tensor, keys: Tensor, message: Tensor) -> Tensor:
        if self.stop_gradient:
            tokens, keys = tokens.detach(), keys.detach()
        with torch.autocast(tokens.device.type, enabled=False):
            tokens, keys, message = tokens.float(), keys.float(), message.float()
            if self.column_norm:
                message = message / column_sums(tokens, keys).clamp_min(1e-12)
            return attend(tokens, keys, message, scale=1.0)


class SpatialCorrespondenceTransfer(Correspondence):
    """SCFT (Lee et al., CVPR 2020; AALDC Table I): scaled dot-product attention plus the query."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)

    def project_query(self, query: Tensor) -> Tensor:
        """W_q of a query map, as tokens (B,N,C)."""
        projected: Tensor = self.query(to_tokens(query))
        return projected

    def encode_references(self, keys: Sequence[Tensor], values: Sequence[Tensor]) -> References:
        key = self.key(torch.cat([to_tokens(each) for each in keys], 1))
        value = self.value(torch.cat([to_tokens(each) for each in values], 1))
        return References(key, (value,))

    def attend(self, query: Tensor, references: References) -> Tensor:
        mixed = attend(self.project_query(query), references.keys, references.values[0])
        return to_map(mixed, query) + query

    def attention(self, query: Tensor, keys: Sequence[Tensor]) -> Tensor:
        """The matrix A (B,N,M) itself, to look at: its memory is quadratic."""
        projected = self.project_query(query)
        key = self.key(torch.cat([to_tokens(each) for each in keys], 1))
        return torch.softmax(projected @ key.transpose(1, 2) * projected.shape[-1] ** -0.5, -1)


class DistanceAttention(Correspondence):
    """The distance attention layer of RLAV (section 3.2): matching and masks, for any K.

    Two masks per reference come from its key map beside the query: m says which of its values to
    use, n how much of them to keep in place instead of moving them by attention.
    The answer is the mean over i of (1 - n_i) f_mat + n_i m_i v_i.

    ``mask_channels``: None for one mask per channel, 1 for one in all. ``reduction``: channels
    of the map over those of the attention. Keys need the query's height and width.
    """

    def __init__(
        self, channels: int, *, mask_channels: int | None = None, reduction: int = 8
    ) -> None:
        super().__init__()
        if mask_channels not in (None, 1, channels):
            raise ValueError(f"mask_channels={mask_channels}: use 1 or {channels}")
        inner = max(1, channels // reduction)
        self.channels = channels
        self.color_mask = nn.Conv2d(2 * channels, mask_channels or channels, 3, padding=1)
        self.match_mask = nn.Conv2d(2 * channels, mask_channels or channels, 3, padding=1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.restore = nn.Conv2d(inner, channels, 1)

    def encode_references(self, keys: Sequence[Tensor], values: Sequence[Tensor]) -> References:
        # a convolution of joined maps is the sum of one for each: this half is kept
        halves = [mask.weight[:, : self.channels] for mask in (self.color_mask, self.match_mask)]
        masks = [tuple(functional.conv2d(key, half, padding=1) for half in halves) for key in keys]
        tokens = torch.cat([to_tokens(self.key(key)) for key in keys], 1)
        return References(tokens, tuple(values), tuple((color, match) for color, match in masks))

    def attend(self, query: Tensor, references: References) -> Tensor:
        grid = references.values[0].shape[-2:]
        if grid != query.shape[-2:]:
            raise ValueError(
                f"references of {tuple(grid)} cells for a query of {tuple(query.shape[-2:])}: "
                "distance attention needs references of the drawing's size"
            )
        color_half, match_half = (
            functional.conv2d(query, mask.weight[:, self.channels :], mask.bias, padding=1)
            for mask in (self.color_mask, self.match_mask)
        )
        projected: list[Tensor] = []
        kept = share = query.new_zeros(())
        for value, (color, match) in zip(references.values, references.masks, strict=True):
            colors = value * torch.sigmoid(color_half + color)
            keep = torch.sigmoid(match_half + match)
            projected.append(to_tokens(self.value(colors)))
            kept = torch.addcmul(kept, keep, colors)
            share = share + keep
        tokens = attend(
            to_tokens(self.query(query)), references.keys, torch.cat(projected, 1), scale=1.0
        )
        matched = self.restore(to_map(tokens, query))
        result: Tensor = matched + (kept - share * matched) / len(references.values)
        return result

    def attention(self, query: Tensor, keys: Sequence[Tensor]) -> Tensor:
        """The matrix of weights (B,N,M) itself, to look at: its memory is quadratic."""
        tokens = torch.cat([to_tokens(self.key(key)) for key in keys], 1)
        return torch.softmax(to_tokens(self.query(query)) @ tokens.transpose(1, 2), -1)


def make_correspondence(kind: str, channels: int, **options: Any) -> Correspondence:
    """The correspondence called ``kind`` (sga, scft or distance) for maps of ``channels``."""
    if kind == "sga":
        return StopGradientAttention(channels, **options)
    if kind == "scft":
        return SpatialCorrespondenceTransfer(channels, **options)
    if kind == "distance":
        return DistanceAttention(channels, **options)
    raise ValueError(f"correspondence={kind!r} is unknown: use {', '.join(CORRESPONDENCES)}")
