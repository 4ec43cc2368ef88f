"""The region matcher: which region of a coloured drawing a region of a line drawing answers to.

Ours, not a paper's: segments as tokens that look at each other and at the other drawing (as
segment matchers for animation do), on features of a small convolutional pyramid. It gives no
colour; the colours of its answer are those of the source, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

PICTURE_CHANNELS = 5  # ink, red, green, blue, and whether the colour is known
FACTS = 12
PAIR = 32  # hidden units that compare the facts of two regions
BARRED = -1e4  # of a logit: as good as impossible, and finite
COLOR_FACTS = 4  # L, a, b in hundredths and whether the colour is known


@dataclass(frozen=True)
class Drawing:
    """A batch of drawings with N regions each, padded.

    picture: (B, 5, S, S) in [0, 1]. label: (B, S/2, S/2) int64, 0 = none, else 1 + region.
    facts: (B, N, 12). point: (B, N, 2) x, y in [-1, 1]. color: (B, N, 4). valid: (B, N) bool.
    """

    picture: Tensor
    label: Tensor
    facts: Tensor
    point: Tensor
    color: Tensor
    valid: Tensor


@dataclass(frozen=True)
class Features:
    """tokens: (B, N, D). pixels: (B, D, S/2, S/2). facts, valid: as in `Drawing`."""

    tokens: Tensor
    pixels: Tensor
    facts: Tensor
    valid: Tensor


@dataclass(frozen=True)
class MatchOutput:
    """Log-probabilities that a region of the target has the source region m, the last: none.

    regions: (B, N, M + 1). For `pixel_matches`: queries (B, N, D), keys (B, M, D), prior (B, N, M)
    of what the facts of two regions say alone, none (B, N, 1).
    """

    regions: Tensor
    queries: Tensor
    keys: Tensor
    prior: Tensor
    none: Tensor


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(max(1, channels // 16), channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(max(1, channels // 16), channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(x + self.second_norm(self.second(y)))


class _Attention(nn.Module):
    """Pre-norm attention with a feed-forward layer; ``source`` None attends to itself."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.source_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.feed = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, x: Tensor, source: Tensor | None, bias: Tensor) -> Tensor:
        """x: (B, N, D); source: (B, M, D); bias: (B, heads or 1, N or 1, M) of the attention."""
        batch, count, dim = x.shape
        base = self.norm(x)
        other = base if source is None else self.source_norm(source)
        shape = (batch, -1, self.heads, dim // self.heads)
        query = self.query(base).view(shape).transpose(1, 2)
        key, value = (
            part.view(shape).transpose(1, 2) for part in self.key_value(other).chunk(2, -1)
        )
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, count, dim))
        result: Tensor = x + self.feed(x)
        return result


class RegionMatcher(nn.Module):
    """``width``: channels at half size; ``dim``: of a token; ``layers`` of attention."""

    def __init__(self, *, width: int = 16, dim: int = 128, heads: int = 4, layers: int = 4) -> None:
        super().__init__()
        self.options = {"width": width, "dim": dim, "heads": heads, "layers": layers}
        channels = [width, 2 * width, 4 * width, 8 * width]
        self.stem = nn.Sequential(
            nn.Conv2d(PICTURE_CHANNELS + 2, width, 5, stride=2, padding=2),
            nn.ReLU(),
            _Residual(width),
        )
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride=2, padding=1),
                nn.ReLU(),
                _Residual(after),
                _Residual(after),
            )
            for before, after in pairwise(channels)
        )
        self.lateral = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1)
            for coarse, fine in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.smooth = nn.ModuleList(_Residual(fine) for fine in channels[-2::-1])
        self.from_features = nn.Linear(sum(channels), dim)
        self.from_facts = nn.Sequential(nn.Linear(FACTS, dim), nn.GELU(), nn.Linear(dim, dim))
        self.from_color = nn.Sequential(nn.Linear(COLOR_FACTS, dim), nn.GELU(), nn.Linear(dim, dim))
        self.from_pixel = nn.Conv2d(width, dim, 1)
        self.pair = nn.Sequential(
            nn.Linear(3 * FACTS, PAIR), nn.GELU(), nn.Linear(PAIR, 2 * heads + 1)
        )
        self.side = nn.Parameter(torch.zeros(2, dim))
        self.own = nn.ModuleList(_Attention(dim, heads) for _ in range(layers))
        self.cross = nn.ModuleList(_Attention(dim, heads) for _ in range(layers))
        self.to_query, self.to_key = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.to_none = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 1))
        self.norm = nn.LayerNorm(dim)

    def features(self, drawing: Drawing, maps: list[Tensor] | None = None) -> Features:
        """What is seen of one drawing alone; of a source it can be kept.

        maps: `pyramid` of its picture, where that is known.
        """
        maps = self.pyramid(drawing.picture) if maps is None else maps
        pooled = _pool(maps[0], drawing.label, drawing.facts.shape[1])
        places = drawing.point[:, :, None].to(maps[0].dtype)
        sampled = [
            functional.grid_sample(level, places, align_corners=False)[..., 0].transpose(1, 2)
            for level in maps[1:]
        ]
        tokens = self.from_features(torch.cat([pooled, *sampled], -1))
        tokens = tokens + self.from_facts(drawing.facts) + self.from_color(drawing.color)
        return Features(tokens, self.from_pixel(maps[0]), drawing.facts, drawing.valid)

    def pyramid(self, picture: Tensor) -> list[Tensor]:
        """Maps (B, C, S/2, S/2) and at 1/4, 1/8 and 1/16 of the size, each aware of the coarser
        ones; they depend on the picture (B, 5, S, S) alone.
        """
        batch, _, height, width = picture.shape
        rows = torch.linspace(-1, 1, height, dtype=picture.dtype, device=picture.device)
        columns = torch.linspace(-1, 1, width, dtype=picture.dtype, device=picture.device)
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
        x = self.stem(torch.cat((picture, places.expand(batch, -1, -1, -1)), 1))
        maps = [x]
        for block in self.down:
            maps.append(block(maps[-1]))
        for level, (lateral, smooth) in enumerate(zip(self.lateral, self.smooth, strict=True)):
            fine = len(maps) - 2 - level
            above = functional.interpolate(lateral(maps[fine + 1]), scale_factor=2, mode="nearest")
            maps[fine] = smooth(maps[fine] + above)
        return maps

    def match(self, target: Features, source: Features) -> MatchOutput:
        """Compare two drawings."""
        x, y = target.tokens + self.side[0], source.tokens + self.side[1]
        ours, theirs = _barred(target.valid), _barred(source.valid)
        pair = self.pair(_pairs(target.facts, source.facts)).permute(0, 3, 1, 2)
        heads = self.options["heads"]
        to_source = pair[:, :heads] + theirs
        to_target = pair[:, heads : 2 * heads].transpose(2, 3) + ours
        for own, cross in zip(self.own, self.cross, strict=True):
            x, y = own(x, None, ours), own(y, None, theirs)
            x, y = cross(x, y, to_source), cross(y, x, to_target)
        x, y = self.norm(x), self.norm(y)
        queries, keys = self.to_query(x), self.to_key(y)
        none = self.to_none(x)
        prior = pair[:, -1] + theirs[:, 0]
        return MatchOutput(_scores(queries, keys, prior, none), queries, keys, prior, none)

    def pixel_matches(self, pixels: Tensor, owner: Tensor, output: MatchOutput) -> Tensor:
        """As ``MatchOutput.regions`` for pixels: (B, P, M + 1).

        pixels: (B, P, D) of `Features.pixels`; owner: (B, P) int64 region of each.
        """

        def of_owner(values: Tensor) -> Tensor:
            index = owner[..., None].expand(-1, -1, values.shape[-1])
            return torch.gather(values, 1, index)

        mine = of_owner(output.queries) + pixels
        return _scores(mine, output.keys, of_owner(output.prior), of_owner(output.none))

    def forward(self, target: Drawing, source: Drawing) -> MatchOutput:
        return self.match(self.features(target), self.features(source))


def _pool(level: Tensor, label: Tensor, count: int) -> Tensor:
    """(B, N, C) mean of a map (B, C, H, W) over each region of ``label`` (B, H, W)."""
    batch, channels = level.shape[:2]
    offset = torch.arange(batch, device=label.device)[:, None] * (count + 1)
    index = (label.reshape(batch, -1) + offset).reshape(-1)
    values = level.permute(0, 2, 3, 1).reshape(-1, channels)
    total = values.new_zeros(batch * (count + 1), channels).index_add(0, index, values)
    ones = torch.ones_like(values[:, 0])
    amount = values.new_zeros(batch * (count + 1)).index_add(0, index, ones)
    mean = total / amount.clamp(min=1)[:, None]
    return mean.view(batch, count + 1, channels)[:, 1:]


def _barred(valid: Tensor) -> Tensor:
    """(B, 1, 1, N) bias that keeps attention off padding."""
    return torch.zeros(valid.shape, device=valid.device).masked_fill(~valid, BARRED)[:, None, None]


def _pairs(facts: Tensor, other: Tensor) -> Tensor:
    """(B, N, M, 3 F): the facts of either region and how far they are apart."""
    shape = (-1, facts.shape[1], other.shape[1], -1)
    one, two = facts[:, :, None].expand(shape), other[:, None].expand(shape)
    return torch.cat((one, two, (one - two).abs()), -1)


def _scores(queries: Tensor, keys: Tensor, prior: Tensor, none: Tensor) -> Tensor:
    logits = queries @ keys.transpose(1, 2) / queries.shape[-1] ** 0.5 + prior
    return functional.log_softmax(torch.cat((logits, none), -1), -1)
