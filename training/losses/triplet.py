"""The similarity-based triplet loss of the SCFT rows.

Lee et al., "Reference-Based Sketch Image Colorization Using Augmented-Self Reference and Dense
Semantic Correspondence" (2020), section 3.3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

MODES = ("tps", "released", "none")


class CorrespondenceTriplet:
    """max(0, -s_positive + s_negative + margin), s = q.k / sqrt(d), in one of three readings.

    - ``tps``: the positive of a query is the reference cell that shows the same place after the
      warp, the negative a random other cell; mean over the queries that have a positive.
    - ``released``: mean over all pairs of max(0, q.k/sqrt(d) - q.v/sqrt(d) + margin), the sign and
      the use of values being those of the released code.
    - ``none``: 0.

    Raises ValueError for an unknown mode, or when a call lacks what the mode needs.
    """

    def __init__(self, mode: str = "tps", *, margin: float = 12.0) -> None:
        if mode not in MODES:
            raise ValueError(f"the triplet mode is {mode!r}; use one of {', '.join(MODES)}")
        self.mode = mode
        self.margin = margin

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        positives: Tensor | None = None,
        values: Tensor | None = None,
    ) -> Tensor:
        """query (B, N, d), key and values (B, M, d); positives (B, N) cell numbers, -1 for none."""
        if self.mode == "none":
            return query.new_zeros(())
        scale = 1 / math.sqrt(query.shape[-1])
        if self.mode == "released":
            if values is None:
                raise ValueError("the released triplet loss needs the values")
            gap = scale * (query @ key.mT - query @ values.mT)
            return (gap + self.margin).clamp(min=0).mean()
        if positives is None:
            raise ValueError("the tps triplet loss needs the positive cells")
        cells = key.shape[1]
        known = positives >= 0
        positive = positives.clamp(min=0)
        # a step of 1..cells-1 around the ring of cells never lands on the positive itself
        negative = (positive + torch.randint_like(positive, 1, cells)) % cells
        gap = scale * (query * (_take(key, negative) - _take(key, positive))).sum(-1)
        losses = (gap + self.margin).clamp(min=0) * known
        return losses.sum() / known.sum().clamp(min=1)


def positive_cells(source: Tensor, grid: tuple[int, int]) -> Tensor:
    """For each cell of the target, the cell of the warped reference that shows it, (B, h w) int64.

    ``source`` (B, 2, H, W) says for each pixel of the reference from where in the target it was
    sampled: x and y in [-1, 1] from edge to edge (``align_corners=False``). A target cell whose
    nearest reference cell is more than one cell away has none: -1.
    """
    height, width = grid
    sampled = torch.nn.functional.adaptive_avg_pool2d(source, grid).flatten(2).mT
    size = source.new_tensor([width, height])
    sampled = (sampled + 1) / 2 * size
    rows, columns = torch.meshgrid(
        torch.arange(height, device=source.device),
        torch.arange(width, device=source.device),
        indexing="ij",
    )
    centers = torch.stack([columns, rows], -1).flatten(0, 1).to(source.dtype) + 0.5
    distance, cell = torch.cdist(centers.expand(source.shape[0], -1, -1), sampled).min(2)
    return torch.where(distance <= 1, cell, -1)


def _take(cells: Tensor, index: Tensor) -> Tensor:
    return cells.gather(1, index.unsqueeze(-1).expand(-1, -1, cells.shape[-1]))
