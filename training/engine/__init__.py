"""The training engine: recipes, step orders, checkpoints, logs; knows no paper."""

from __future__ import annotations

from .fingerprint import fingerprint
from .journal import read_history, read_run
from .recipe import (
    ORDERS,
    Batch,
    Generated,
    LearningRate,
    Optimiser,
    Recipe,
    Samples,
    Side,
    Task,
    Term,
    Track,
)
from .trainer import Fitted, Trainer

__all__ = [
    "ORDERS",
    "Batch",
    "Fitted",
    "Generated",
    "LearningRate",
    "Optimiser",
    "Recipe",
    "Samples",
    "Side",
    "Task",
    "Term",
    "Track",
    "Trainer",
    "fingerprint",
    "read_history",
    "read_run",
]
