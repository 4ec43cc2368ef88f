"""What a network says of where regions meet, and of what belongs together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backend.imaging.hints import Hints


@dataclass(frozen=True)
class Borders:
    """likely: (h, w) float32 in [0, 1], how likely each pixel is on a border of regions.

    embedding: (h, w, D) float32: squared distances are differences of log-likelihood of one colour.
    cores: (h, w) bool, the innermost of the marks, whose embedding is theirs.
    """

    likely: np.ndarray
    embedding: np.ndarray
    cores: np.ndarray

    def seed_embeddings(self, seeds: np.ndarray, count: int) -> np.ndarray:
        """(count, D) float32: the mean over the core of every seed; seeds: (h, w) int32."""
        marks = np.where(self.cores, seeds, 0)
        without = ~np.isin(seeds, marks)  # seeded ground, and marks whose core lies on a line
        marks[without] = seeds[without]
        at = np.flatnonzero(marks)
        seen = self.embedding[at // seeds.shape[1], at % seeds.shape[1]]
        mark = marks.ravel()[at]
        total = np.zeros((count, seen.shape[1]), np.float32)
        np.add.at(total, mark, seen)
        amount = np.bincount(mark, minlength=count)[:, None]
        return (total / np.maximum(1, amount)).astype(np.float32)


FindBorders = Callable[[np.ndarray, Hints], Borders]  # of ink (h, w) uint8, hints at its size
