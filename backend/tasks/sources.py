"""Coloured drawings to colour after, and drawings to be coloured, as networks see them.

The network says what a region is, the lines where it ends, the reference's palette its colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from backend.imaging.ground import laid_on_white
from backend.imaging.lines import darkness, ink_mask
from backend.regions.align import Placement, align, likeness
from backend.regions.colored import PaintedAreas, find_painted_areas, paint_regions
from backend.regions.describe import (
    SIDE,
    Box,
    Described,
    closed_areas,
    crop,
    describe,
    figure_box,
    find_ground,
)
from backend.regions.match import network_picture, thin_dark
from backend.regions.refine import spread_under_ink
from backend.regions.register import INK
from backend.regions.register import SIDE as LAID_SIDE
from backend.regions.seams import find_seam
from backend.regions.segment import find_chambers
from protocol.errors import ErrorCode, NuriError

from .canvas import Canvas, Look, working_ink, working_size
from .seen import Seen

BORDER = 25  # pixels of the square, twice the margin at the border that gives no shading
SAME = 3  # of 255: colours of two references that differ less are one
MIRRORED = 0.004  # of a likeness; a drawing that is its own mirror image stays as it is
FAR = 1.0  # of a likeness; below it the figure may stand elsewhere in the reference ...
PLACED = 0.1  # ... where its lines are likelier by this, finely and coarsely


@dataclass(frozen=True)
class Source:
    """A coloured drawing, prepared once. ``name``: for messages. What the network has seen of it
    is kept in ``views``: as it is, and mirrored. ``ground``: the paint around its figure, -1 where
    the drawing fills its canvas. ``finished``: what there is to look at where only the finished
    picture is known, else None. With its lines, no paint of it is ink, and ``seam``, of
    `find_seam`, says where its paints meet under them.
    """

    name: str
    areas: PaintedAreas
    views: tuple[View, View]
    finished: Finished | None
    ground: int = -1
    seam: tuple[int, int] = (0, 0)

    @property
    def lined(self) -> bool:
        """Whether its lines were known."""
        return self.finished is None


@dataclass
class Finished:
    """A coloured drawing (h, w) whose lines are not known, to be looked at elsewhere again.

    rgb: (h, w, 3) uint8. areas: of its paints. ground: (h, w) bool, around its figure.
    """

    rgb: np.ndarray
    areas: PaintedAreas
    ground: np.ndarray
    _found: tuple[bytes, View] | None = field(default=None, init=False, repr=False)

    def once(self, ink: np.ndarray, find: Callable[[], View]) -> View:
        """What ``find`` gives for the lines ``ink``, once: hints change more often than lines do,
        and only what the last lines found is kept.
        """
        lines = ink.tobytes()
        if self._found is None or self._found[0] != lines:
            self._found = lines, find()
        return self._found[1]

    def view(self, place: Placement, plain: View) -> View:
        """It as ``place`` in its view ``plain``."""
        left = 1 - place.left - place.side if place.mirrored else place.left
        whole, side = plain.box, plain.box.side
        box = Box(whole.left + left * side, whole.top + place.top * side, place.side * side)
        painting = _painting(self.areas, self.ground, box)
        return _look(self.rgb, None, self.areas, box, painting)(place.mirrored)


@dataclass
class View(Seen):
    """A drawing as the network sees it.

    box: the part of the canvas. ink: (LAID_SIDE, LAID_SIDE) uint8 of that part. areas: of that
    size, int32, the regions of a drawing, 0 = lines, and of a source what its lines close.
    painting: of that size, int32, the paint of each pixel of a source, -1 for its ground. shown: of
    that size, (..., 3) float16 RGB in 0..255, the source itself, NaN where its canvas ends.
    look: of a canvas, where ``picture`` is of its lines.
    """

    picture: np.ndarray
    regions: Described
    box: Box
    ink: np.ndarray
    areas: np.ndarray
    painting: np.ndarray | None = None
    shown: np.ndarray | None = None
    colors: np.ndarray | None = None
    known: np.ndarray | None = None
    look: Look | None = None


def read_source(color: np.ndarray, line: np.ndarray | None = None, *, name: str = "") -> Source:
    """Prepare a coloured drawing.

    color: (H, W, 3 or 4) uint8 RGB; what is transparent counts as white. line: its line art as for
    `colour_flats`, or None where only the finished picture is there. Raises NuriError bad_input
    when there is no colour in it.
    """
    if color.shape[2] == 4 and not color[..., 3].any():
        raise NuriError(
            ErrorCode.bad_input,
            f"{name or 'the reference'} is empty: all of it is transparent",
            "Choose a coloured drawing",
        )
    rgb = np.ascontiguousarray(laid_on_white(color))
    height, width = rgb.shape[:2]
    small, scale = working_size(height, width)
    ink = None if line is None else working_ink(darkness(line))
    if scale < 1:
        # shrunk by area, edges mix; the nearest pixel keeps flat colours exact
        rgb = cv2.resize(rgb, small, interpolation=cv2.INTER_NEAREST_EXACT)
    solid = None if ink is None else ink_mask(ink)
    areas = painted = find_painted_areas(rgb, solid)
    seam = (0, 0) if solid is None else find_seam(painted, rgb, solid)
    if ink is not None:
        # regions that lines close in both drawings are easier to tell than areas of paint
        areas, painted = paint_regions(rgb, find_chambers(ink).label, painted)
    if not len(areas.palette):
        raise NuriError(
            ErrorCode.bad_input,
            f"{name or 'the reference'} has no area of colour",
            "Choose a coloured drawing",
        )
    # the ground between lines may be several chambers
    outline = areas.label if ink is None else closed_areas(areas.label)
    box, around = figure_box(outline), find_ground(outline)[outline]
    paints = np.bincount(areas.paint[areas.label[around]] + 1, minlength=2)
    ground_paint = int(paints[1:].argmax()) if paints[1:].any() else -1
    if ink is not None:
        # what has another paint there is a part of the figure that its lines leave open
        around &= np.isin(painted.paint[painted.label], (-1, ground_paint))
    look = _look(rgb, ink, areas, box, _painting(painted, around, box))
    finished = Finished(rgb, areas, around) if ink is None else None
    return Source(name, areas, (look(False), look(True)), finished, ground_paint, seam)


def _look(
    rgb: np.ndarray, ink: np.ndarray | None, areas: PaintedAreas, box: Box, painting: np.ndarray
) -> Callable[[bool], View]:
    """Gives the view of a coloured drawing (h, w, 3) in a box, mirrored or not. ink: (h, w) uint8,
    None where its lines are not known. painting: of the `View`.
    """
    seen, shown = (crop(rgb, box, side, 255, exact=False) for side in (SIDE, LAID_SIDE))
    if ink is None:
        seen_ink, fine_ink = thin_dark(seen), thin_dark(shown)
    else:
        seen_ink, fine_ink = (crop(ink, box, n, 0, exact=False) for n in (SIDE, LAID_SIDE))
    label = crop(areas.label, box, SIDE, 0, exact=True)
    closed = spread_under_ink(cv2.connectedComponents((fine_ink <= INK).astype(np.uint8))[1])
    on_canvas = _within_canvas(shown, rgb, box)

    def view(mirrored: bool) -> View:
        def turned(part: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(part[:, ::-1]) if mirrored else part

        regions = describe(turned(label))
        return View(
            picture=network_picture(turned(seen_ink), turned(seen)),
            regions=regions,
            box=box,
            ink=turned(fine_ink),
            areas=turned(closed),
            painting=turned(painting),
            shown=turned(on_canvas),
            colors=areas.palette[areas.paint[regions.number]],
        )

    return view


def _painting(painted: PaintedAreas, ground: np.ndarray, box: Box) -> np.ndarray:
    """`View.painting` of the areas, (H, W), without those of the ``ground``, (H, W) bool."""
    paints = len(painted.palette)
    kind = np.where(ground, paints + 1, painted.paint[painted.label] + 1)
    known = spread_under_ink(crop(kind.astype(np.int32), box, LAID_SIDE, 0, exact=True)) - 1
    known[known == paints] = -1
    return known


def _within_canvas(shown: np.ndarray, rgb: np.ndarray, box: Box) -> np.ndarray:
    """`View.shown` of a picture ``rgb`` (H, W, 3), of which ``shown`` is the box."""
    canvas = crop(np.ones(rgb.shape[:2], np.uint8), box, LAID_SIDE, 0, exact=True)
    # the flow of lines is of no use at the border, where lines end
    inner = cv2.erode(canvas, np.ones((BORDER, BORDER), np.uint8), borderValue=0)
    return np.where(inner[..., None] > 0, shown, np.nan).astype(np.float16)


def view_of(canvas: Canvas, label: np.ndarray) -> View:
    """A line drawing with its regions (h, w) int32 as the network sees it."""
    box = figure_box(closed_areas(label))
    look = canvas.look(box)
    return View(
        picture=look.picture,
        regions=describe(crop(label, box, SIDE, 0, exact=True)),
        box=box,
        ink=look.ink,
        areas=crop(label, box, LAID_SIDE, 0, exact=True),
        look=look,
    )


def union_palette(sources: Sequence[Source]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All paints of the sources, near-equal ones once.

    Returns the palette (P, 3) uint8 and, by source, the (P_source,) index of its paints in it.
    """
    palette = np.zeros((0, 3), np.uint8)
    places = []
    for source in sources:
        own = source.areas.palette.astype(int)
        nothing_near = np.full((len(own), 1), SAME + 1)
        apart = np.abs(own[:, None] - palette[None].astype(int)).max(-1)
        apart = np.hstack([apart, nothing_near])
        known = apart.min(1) <= SAME
        place = np.where(known, apart.argmin(1), len(palette) + np.cumsum(~known) - 1)
        palette = np.concatenate([palette, source.areas.palette[~known]])
        places.append(place)
    return palette, places


def facing(target: View, source: Source) -> View:
    """The source as it is, or mirrored if its lines are nearer then by more than chance.

    A finished picture whose lines are far from these is looked at where they are likest.
    """
    ink = target.picture[0]
    plain, mirrored = (likeness(ink, view.picture[0]) for view in source.views)
    best = source.views[int(mirrored > plain + MIRRORED)]
    finished = source.finished
    if finished is None or max(plain, mirrored) >= FAR:
        return best
    return finished.once(ink, lambda: _likest(ink, best, source.views[0], finished))


def _likest(ink: np.ndarray, best: View, plain: View, finished: Finished) -> View:
    """Of `Finished.view` the one whose lines are likest ``ink``, or ``best`` where none is likelier
    than that by more than chance. plain: the source as it is.
    """
    # of a finished picture only what is thin is a line, which large black parts may outweigh
    thin = thin_dark(np.rint(255 - 255 * ink).astype(np.uint8)[..., None]) / np.float32(255)
    most = sum(likeness(lines, best.picture[0]) for lines in (ink, thin)) + 2 * PLACED
    for searched in (ink, thin):
        view = finished.view(align(searched, plain.picture[0]), plain)
        alike = sum(likeness(lines, view.picture[0]) for lines in (ink, thin))
        if alike > most:
            best, most = view, alike
    return best
