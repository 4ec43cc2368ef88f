"""The installed region matcher: which network a job means, and colouring with it by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backend.models.registry import MATCHER
from backend.weights import store, styles

from .canvas import read_canvas
from .layer import LayerResult, colour_layer
from .request import Request
from .sources import Source


def matcher_of(request: Request, known: Sequence[str]) -> str:
    """The network that the option ``model`` names: one of the ``known`` or a style; the matcher
    where it names none. Raises NuriError: malformed, model_missing.
    """
    model = request.text("model")
    if model.startswith(styles.PREFIX):
        styles.path_of(model)
        return model
    return request.text("model", ("", *known)) or MATCHER


def colour_from_sources(
    line: np.ndarray,
    sources: Sequence[Source],
    *,
    hints: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    model: str = MATCHER,
    soft: bool = False,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> LayerResult:
    """`colour_layer` with the trained network ``model``, the matcher or a style. soft: as there.

    Raises NuriError: model_missing, bad_input, cancelled.
    """
    return colour_layer(
        read_canvas(line),
        lambda: store.load(model),
        hints=hints,
        sources=sources,
        soft=soft,
        mask=mask,
        progress=progress,
        cancelled=cancelled,
    )
