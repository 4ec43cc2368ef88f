"""Colours that nobody has named, one a region, to suit the rest.

A chooser takes them from its palette, the surest first; a network that paints pages shows them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from backend.imaging.color import rgb_to_lab
from backend.imaging.hints import eight_bit, with_paints
from backend.regions.figure import agreed, deciding_together, off_ground, open_ground
from backend.regions.fill import Regions
from backend.regions.match import color_facts, hinted_picture

from . import painting
from .canvas import Canvas
from .completion import Completed, leave_unseen
from .shading import painted_shade
from .sources import View, view_of
from .voting import features_of

ROUNDS = 4  # each settles the surest half of what is open, the last one all
SAME = 8.0  # a chosen colour nearer than this in CIELAB to a known one is that one


def choose(
    matcher: Any,
    chooser: Any,
    canvas: Canvas,
    regions: Regions,
    completed: Completed,
    *,
    soft: bool = False,
) -> Completed:
    """Colours for the regions that have none; the ground around the figure stays paper.

    matcher: a `RegionMatcher`; chooser: a `ColorChooser` or a `MangaColorizer`. soft: with what
    the latter paints. Nobody has asked for these colours, so that no region is sure of its own.
    """
    sheet = _Sheet(view_of(canvas, regions.label), regions.label, completed)
    if not sheet.wanted.any():
        return completed
    shade = completed.shade
    if painting.paints_pages(chooser):
        painted = _paint(chooser, sheet)
        if soft:
            figure = off_ground(sheet.colour, sheet.ground)
            colors = np.array(sheet.known, np.uint8).reshape(-1, 3)
            shade = painted_shade(
                regions.label, figure, colors, sheet.view.box, painted, regions.colour
            )
    else:
        _choose_in_rounds(matcher, chooser, sheet)
    leave_unseen(regions, sheet.number, sheet.colour)
    fresh = sheet.known[len(completed.given.colours) :]
    paints = with_paints(completed.given, np.array(fresh, np.uint8).reshape(-1, 3))
    return replace(completed, given=paints, colour=sheet.colour, shade=shade)


class _Sheet:
    """A drawing some of whose described regions are to get a colour.

    number: (N,) their ids. own: (N, 3) uint8 colours of those that are ``settled``, (N,) bool.
    wanted: (N,) bool, without a colour at first. colour: by region id, 1 + index into ``known``.
    ground, closed: as of `open_ground`.
    """

    def __init__(self, view: View, label: np.ndarray, completed: Completed) -> None:
        self.view, self.number = view, view.regions.number
        self.colour, self.known = completed.colour.copy(), list(eight_bit(completed.given.colours))
        self.ground, self.closed = open_ground(label)
        self.settled = self.colour[self.number] > 0
        self.wanted = ~self.settled & ~self.ground[self.number]
        self.own = np.zeros((len(self.number), 3), np.uint8)
        given = np.array(self.known, np.uint8).reshape(-1, 3)
        self.own[self.settled] = given[self.colour[self.number[self.settled]] - 1]

    def settle(self, index: int, color: np.ndarray) -> None:
        """Give a described region a colour (3,) uint8, or a known one that is as good as it."""
        at = _nearest(color, self.known)
        if at < 0:
            at = len(self.known)
            self.known.append(color)
        self.colour[self.number[index]] = at + 1
        self.own[index] = self.known[at]


def _choose_in_rounds(matcher: Any, chooser: Any, sheet: _Sheet) -> None:
    import torch

    palette = np.rint(chooser.palette.numpy() * 255).astype(np.uint8)
    count, share = len(sheet.number), sheet.view.regions.share
    with torch.inference_mode():
        seen = features_of(matcher, sheet.view)
        for turn in range(ROUNDS):
            facts = torch.from_numpy(color_facts(sheet.own, sheet.settled, count))[None]
            odds = chooser(seen.tokens, facts, seen.valid)[0].exp().numpy()
            odds = agreed(odds, sheet.closed[sheet.number], share, sheet.ground[sheet.number])
            still = np.flatnonzero(sheet.wanted & ~sheet.settled)
            if not len(still):
                break
            sure = odds[still].max(1)
            # parts of one closed area are equally sure, so that they are settled together
            surest = still if turn == ROUNDS - 1 else still[sure >= np.median(sure)]
            for index in surest.tolist():
                sheet.settle(index, palette[odds[index].argmax()])
            sheet.settled[surest] = True


def _paint(painter: Any, sheet: _Sheet) -> np.ndarray:
    """What the network paints, (s, s, 3) RGB in [0, 1]; each area takes its median."""
    view, number = sheet.view, sheet.number
    ink = np.rint(view.picture[0] * 255).astype(np.uint8)
    picture = hinted_picture(ink, view.regions.label, sheet.settled, sheet.own)
    painted = painting.paint_page(painter, picture)
    half = np.ascontiguousarray(view.regions.label[::2, ::2])
    size = (half.shape[1], half.shape[0])
    shown = cv2.resize(painted, size, interpolation=cv2.INTER_LINEAR)
    group = deciding_together(sheet.closed[number], sheet.ground[number])
    of_pixel = np.concatenate([[-1], group])[half]
    for one in np.unique(group[sheet.wanted]):
        seen = shown[of_pixel == one]
        if len(seen):
            color = np.rint(np.clip(np.median(seen, axis=0), 0, 1) * 255).astype(np.uint8)
            for index in np.flatnonzero((group == one) & sheet.wanted).tolist():
                sheet.settle(index, color)
    return painted


def _nearest(color: np.ndarray, others: list[np.ndarray]) -> int:
    """The index of the colour (3,) uint8 that is as good as the same, or -1."""
    if not others:
        return -1
    lab = rgb_to_lab(np.array([color, *others])[None].astype(np.float32) / 255)[0]
    apart = np.linalg.norm(lab[1:] - lab[0], axis=1)
    best = int(apart.argmin())
    return best if apart[best] < SAME else -1
