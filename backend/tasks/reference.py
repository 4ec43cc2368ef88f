"""Colouring after coloured drawings with the installed region matcher."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backend.weights import store

from .canvas import read_canvas
from .layer import LayerResult, colour_layer
from .sources import Source, read_source

__all__ = ["MATCHER", "MatchedFlats", "Source", "colour_from_sources", "read_source"]

MATCHER = "matching"  # the id of its weights
MatchedFlats = LayerResult


def colour_from_sources(
    line: np.ndarray,
    sources: Sequence[Source],
    *,
    hints: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> MatchedFlats:
    """`colour_layer` with the trained network. Raises NuriError: model_missing, bad_input,
    cancelled."""
    return colour_layer(
        read_canvas(line),
        lambda: store.load(MATCHER),
        hints=hints,
        sources=sources,
        mask=mask,
        progress=progress,
        cancelled=cancelled,
    )
