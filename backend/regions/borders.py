"""What a network says of where regions meet, and of what belongs together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Borders:
    """likely: (h, w) float32 in [0, 1], how likely each pixel is on a border of regions.

    embedding: (h, w, D) float32: squared distances are differences of log-likelihood of one colour.
    cores: (h, w) bool, the innermost of the marks, whose embedding is theirs.
    """

    likely: np.ndarray
    embedding: np.ndarray
    cores: np.ndarray
