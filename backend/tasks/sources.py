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
from backend.regions.align import Placement, align, likeness, turn
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
WIDE = 1.5  # sides of a figure's box; within these it can be turned ...
TURNED = 0.3  # ... where its lines are likelier by this, finely and coarsely together,
LEAST_TURN = 12  # and by degrees, for smaller turns the networks and the flow of lines follow ...
UNLIKE = 0.5  # ... unless its lines are as unlike as this


@dataclass(frozen=True)
class Source:
    """A coloured drawing, prepared once. ``name``: for messages. What the network has seen of it
    is kept in ``views``: as it is, and mirrored; ``drawing`` is what there is to look at elsewhere.
    ``ground``: the paint around its figure, -1 where the drawing fills its canvas. Where its lines
    are known, no paint of it is ink, and ``seam``, of `find_seam`, says where its paints meet under
    them.
    """

    name: str
    areas: PaintedAreas
    views: tuple[View, View]
    drawing: ColouredDrawing
    ground: int = -1
    seam: tuple[int, int] = (0, 0)

    @property
    def lined(self) -> bool:
        """Whether its lines were known."""
        return self.drawing.ink is not None


@dataclass
class ColouredDrawing:
    """A coloured drawing (h, w), to be looked at in any place.

    rgb: (h, w, 3) uint8. ink: (h, w) uint8, None where its lines are not known. areas: what
    networks see as its regions. painted: the areas of its paints. ground: (h, w) bool, around its
    figure.
    """

    rgb: np.ndarray
    ink: np.ndarray | None
    areas: PaintedAreas
    painted: PaintedAreas
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

    def placed(self, place: Placement, whole: Box) -> View:
        """It as ``place`` in the part ``whole`` of its canvas."""
        turned = -place.turn if place.mirrored else place.turn
        right, down = (at + place.side / 2 - 0.5 for at in (place.left, place.top))
        right = -right if place.mirrored else right
        cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
        x = whole.left + whole.side * (0.5 + cos * right - sin * down - place.side / 2)
        y = whole.top + whole.side * (0.5 + sin * right + cos * down - place.side / 2)
        return self.views(Box(x, y, place.side * whole.side, turned))(place.mirrored)

    def views(self, box: Box) -> Callable[[bool], View]:
        """Gives the view of it in a box, mirrored or not."""
        seen, shown = (crop(self.rgb, box, side, 255, exact=False) for side in (SIDE, LAID_SIDE))
        if self.ink is None:
            seen_ink, fine_ink = thin_dark(seen), thin_dark(shown)
        else:
            seen_ink, fine_ink = (crop(self.ink, box, n, 0, exact=False) for n in (SIDE, LAID_SIDE))
        label = crop(self.areas.label, box, SIDE, 0, exact=True)
        closed = spread_under_ink(cv2.connectedComponents((fine_ink <= INK).astype(np.uint8))[1])
        painting = _painting(self.painted, self.ground, box)
        on_canvas = _within_canvas(shown, self.rgb, box)

        def view(mirrored: bool) -> View:
            def facing_us(part: np.ndarray) -> np.ndarray:
                return np.ascontiguousarray(part[:, ::-1]) if mirrored else part

            regions = describe(facing_us(label))
            return View(
                picture=network_picture(facing_us(seen_ink), facing_us(seen)),
                regions=regions,
                box=box,
                ink=facing_us(fine_ink),
                areas=facing_us(closed),
                painting=facing_us(painting),
                shown=facing_us(on_canvas),
                colors=self.areas.palette[self.areas.paint[regions.number]],
            )

        return view


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
    drawing = ColouredDrawing(rgb, ink, areas, painted, around)
    look = drawing.views(box)
    return Source(name, areas, (look(False), look(True)), drawing, ground_paint, seam)


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


def upright(ink: np.ndarray, source: Source) -> tuple[View, float]:
    """The source as it is, or mirrored if its lines are nearer ``ink`` then by more than chance,
    and how like they are. ink: (SIDE, SIDE) float32, of a `View`.
    """
    plain, mirrored = (likeness(ink, view.picture[0]) for view in source.views)
    return source.views[int(mirrored > plain + MIRRORED)], max(plain, mirrored)


def facing(target: View, source: Source) -> View:
    """The source `upright`. Where its lines are far from these, a finished picture is looked at
    where they are likest, and a drawing with its own lines turned as they are likest.
    """
    best, alike = upright(target.picture[0], source)
    if alike >= FAR:
        return best
    find = _turned if source.lined else _likest
    return source.drawing.once(target.picture[0], lambda: find(target, best, source))


def _turned(target: View, best: View, source: Source) -> View:
    """The source turned as its lines are likest, or ``best`` where they are not likelier than that
    by more than chance.
    """
    assert source.drawing.ink is not None  # as every source that may be turned has
    box, ink = source.views[0].box, target.picture[0]
    around = box.side * (WIDE - 1) / 2
    wide = Box(box.left - around, box.top - around, box.side * WIDE)
    lines = crop(source.drawing.ink, wide, SIDE, 0, exact=False) / np.float32(255)
    view = source.drawing.placed(turn(ink, lines, wide.side / target.box.side), wide)
    found, usual = (likeness(ink, one.picture[0]) for one in (view, best))
    falls = abs(view.box.turn) >= LEAST_TURN or usual < UNLIKE
    return view if falls and found > usual + TURNED else best


def _likest(target: View, best: View, source: Source) -> View:
    """Of the finished picture, placed, the view whose lines are likest, or ``best`` where none is
    likelier than that by more than chance.
    """
    ink, plain = target.picture[0], source.views[0]
    # of a finished picture only what is thin is a line, which large black parts may outweigh
    thin = thin_dark(np.rint(255 - 255 * ink).astype(np.uint8)[..., None]) / np.float32(255)
    most = sum(likeness(lines, best.picture[0]) for lines in (ink, thin)) + 2 * PLACED
    for searched in (ink, thin):
        view = source.drawing.placed(align(searched, plain.picture[0]), plain.box)
        alike = sum(likeness(lines, view.picture[0]) for lines in (ink, thin))
        if alike > most:
            best, most = view, alike
    return best
