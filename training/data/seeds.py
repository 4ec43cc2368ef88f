"""Randomness from (data set seed, epoch, index) alone, so that any sample can be replayed."""

from __future__ import annotations

import numpy as np


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The generator of one sample; independent of the order in which samples are asked for."""
    return np.random.default_rng((abs(seed), int(seed < 0), epoch, index))
