"""Task layer: line art coloured by hints, by coloured references, by both, or by neither.

Hints decide their regions, exactly. What they leave open the region matcher decides, after the
references and after the hinted regions of the drawing itself; what is open still, where that is
wanted, a network of its own choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.imaging.hints import Hints
from backend.regions.borders import FindBorders
from backend.regions.fill import Regions, fill_chambers
from backend.regions.segment import Chambers, find_chambers
from protocol.errors import ErrorCode, NuriError

from .canvas import Canvas
from .choice import choose
from .completion import complete
from .flats import FlatsResult, at_size, check_hints, check_size, finish
from .request import stepper
from .shading import shaded
from .sources import Source

DOUBTFUL = 0.5  # a region that is less sure than this is pointed out to the artist
NARROW = 24  # working pixels; in a narrower strip a network sees nothing


@dataclass(frozen=True)
class LayerResult(FlatsResult):
    """confidence: (n_regions + 1,) float32 in [0, 1] by region id; 1 where a hint has decided."""

    confidence: np.ndarray

    @property
    def doubtful(self) -> np.ndarray:
        """(n_regions + 1,) bool by region id: coloured, but without a good match."""
        doubtful = (self.confidence < DOUBTFUL) & (self.region_palette >= 0)
        doubtful[0] = False
        return doubtful


def colour_layer(
    canvas: Canvas,
    network: Callable[[], Any],
    *,
    hints: np.ndarray | None = None,
    sources: Sequence[Source] = (),
    chooser: Callable[[], Any] | None = None,
    borders: FindBorders | None = None,
    soft: bool = False,
    mask: np.ndarray | None = None,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> LayerResult:
    """Colour every region that a hint reaches or that answers to a region of a known colour.

    canvas: the lines (`read_canvas`); what is worked out of them stays with it. network: gives a
    `RegionMatcher` and is asked once a region is open. chooser: gives what chooses colours
    (`choose`) where then is none still. borders: where regions meet (`find_borders`), from ink and
    hints at working size; None: as far as lines and their loose ends tell. soft: with the shading
    of the sources, or with what the chooser paints.
    hints: (H, W, C) any dtype, alpha last, in RGB order where there are sources or a chooser. mask:
    (H, W) uint8 selection. Raises NuriError: bad_input (neither hints nor sources nor a chooser,
    sizes that differ), cancelled.
    """
    step = stepper(progress, cancelled)
    if hints is not None:
        check_size(canvas.dark, hints)
    given = _no_hints(canvas.dark.shape) if hints is None else check_hints(hints)
    if given.empty and not sources and chooser is None:
        raise NuriError(
            ErrorCode.bad_input,
            "there are neither hints nor references",
            "Paint hints, or choose a coloured drawing as reference",
        )
    if min(canvas.ink.shape) < NARROW:
        borders = None
    step(0.1, "finding regions")
    if given.empty:
        chambers = canvas.chambers
        regions = Regions(chambers.label.copy(), np.zeros(len(chambers.area), np.int32))
    else:
        chambers, regions = _hinted(canvas, at_size(given, canvas.ink.shape), borders)
    step(0.3, "comparing drawings")
    completed = complete(canvas, regions, given, sources, network, step, borders=borders, soft=soft)
    if chooser is not None:
        completed = choose(network(), chooser(), canvas, regions, completed, soft=soft)
    step(0.6, "following lines")
    small = Regions(regions.label, completed.colour)
    seam = sources[0].seam if sources else (0, 0)
    done = finish(canvas, chambers, small, completed.given, mask, step, seam)
    if completed.shade is not None:
        done = replace(done, flats=shaded(done, completed.shade))
    confidence = np.ones(len(done.region_palette), np.float32)
    confidence[: len(completed.sure)] = completed.sure
    return LayerResult(**vars(done), confidence=confidence)


def _hinted(canvas: Canvas, hints: Hints, borders: FindBorders | None) -> tuple[Chambers, Regions]:
    """The areas that lines, gaps and borders close, and the colours that hints give them."""
    if borders is None:
        return canvas.chambers, fill_chambers(canvas.chambers, hints)
    found = borders(canvas.ink, hints)
    chambers = find_chambers(canvas.ink, found, canvas.strokes)
    return chambers, fill_chambers(chambers, hints, borders=found)


def _no_hints(shape: tuple[int, int]) -> Hints:
    nothing = np.zeros(shape, np.int32)
    return Hints(nothing, np.zeros((0, 4), np.uint8), nothing, np.zeros(1, np.int32))
