"""What colours a drawing in `stills.py`: the program, whole and with parts of it left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import cv2
import numpy as np

from backend.imaging.composite import composite
from backend.models.registry import BORDERS, MATCHER, PAINTERS
from backend.regions.describe import to_square
from backend.tasks import completion
from backend.tasks.borders import find_borders
from backend.tasks.canvas import Canvas, read_canvas
from backend.tasks.flats import colour_flats
from backend.tasks.layer import colour_layer
from backend.tasks.sources import Source, facing, read_source, view_of
from backend.tasks.voting import vote
from backend.weights import store


@dataclass(frozen=True)
class Drawing:
    """What a system is given, (H, W) lines with hints or a source, and ``color``, the truth."""

    line: np.ndarray
    color: np.ndarray
    seg: np.ndarray
    hints: np.ndarray | None = None
    reference: np.ndarray | None = None


def whole(drawing: Drawing) -> np.ndarray:
    """As the program colours it."""
    return _colour(drawing, borders=True)


def without_borders(drawing: Drawing) -> np.ndarray:
    """Gaps closed, and areas divided, as far as lines tell."""
    return _colour(drawing, borders=False)


def without_matcher(drawing: Drawing) -> np.ndarray:
    """Flats: areas without a hint stay as they are."""
    return _over(drawing.line, colour_flats(drawing.line, drawing.hints).flats)


def by_pixels(drawing: Drawing) -> np.ndarray:
    """Each pixel the paint that the matcher finds likeliest for it; no regions."""
    return _by_pixels(drawing, mixed=False)


def mixed(drawing: Drawing) -> np.ndarray:
    """Each pixel the mean of the paints, as likely as they are; neither regions nor snapping."""
    return _by_pixels(drawing, mixed=True)


def without_laying(model: str) -> Callable[[Drawing], np.ndarray]:
    """No reference laid on the drawing: the word of the matcher, or of a painter, alone."""

    def paint(drawing: Drawing) -> np.ndarray:
        with mock.patch.object(completion, "lay_views", return_value=None):
            return _colour(drawing, borders=True, model=model)

    return paint


def the_truth(drawing: Drawing) -> np.ndarray:
    """What could be reached at most: rims that fade into the line count against the truth, too."""
    return drawing.color


VARIANTS: dict[str, dict[str, Callable[[Drawing], np.ndarray]]] = {
    "reference": {
        "whole": whole,
        "no border finder": without_borders,
        "no laying": without_laying(MATCHER),
        "no regions": by_pixels,
        "no regions, no snapping": mixed,
        **{f"{name}, no laying": without_laying(name) for name in PAINTERS},
    },
    "hints": {
        "whole": whole,
        "no border finder": without_borders,
        "no matcher": without_matcher,
        "the truth": the_truth,
    },
}


def _colour(drawing: Drawing, *, borders: bool, model: str = MATCHER) -> np.ndarray:
    sources = [] if drawing.reference is None else [read_source(drawing.reference)]
    network = store.load(BORDERS, rounded=True) if borders else None
    result = colour_layer(
        read_canvas(drawing.line),
        lambda: store.load(model),
        hints=drawing.hints,
        sources=sources,
        borders=None if network is None else lambda ink, given: find_borders(network, ink, given),
    )
    return _over(drawing.line, result.flats)


def _by_pixels(drawing: Drawing, *, mixed: bool) -> np.ndarray:
    assert drawing.reference is not None  # as CASES and VARIANTS say
    canvas, source = read_canvas(drawing.line), read_source(drawing.reference)
    view = view_of(canvas, canvas.chambers.label)
    pixels = vote(store.load(MATCHER), view, source, facing(view, source)).pixels
    palette = source.areas.palette.astype(np.float32)
    total = pixels.sum(-1, keepdims=True)
    picture = pixels @ palette / np.maximum(total, 1e-6) if mixed else palette[pixels.argmax(-1)]
    paper = palette[source.ground] if source.ground >= 0 else np.full(3, 255, np.float32)
    picture = np.where(total > 0, picture, paper)
    return _over(drawing.line, _on_canvas(picture, canvas, source, view.box))


def _on_canvas(picture: np.ndarray, canvas: Canvas, source: Source, box: Any) -> np.ndarray:
    height, width = canvas.ink.shape
    paper = source.areas.palette[source.ground].tolist() if source.ground >= 0 else [255] * 3
    placed = cv2.warpAffine(
        picture.astype(np.float32),
        to_square(box, picture.shape[0]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )
    full = cv2.resize(placed, canvas.dark.shape[::-1], interpolation=cv2.INTER_LINEAR)
    solid = np.full((*full.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.rint(full).astype(np.uint8), solid], axis=-1)


def _over(line: np.ndarray, flats: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(composite(line, flats)[..., :3])
