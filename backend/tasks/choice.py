"""Colours that nobody has named: chosen by a network, the surest first, to suit the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.imaging.color import rgb_to_lab
from backend.regions.fill import Regions
from backend.regions.match import color_facts

from .canvas import Canvas
from .completion import Completed, agreed, eight_bit, leave_unseen, open_ground, with_paints
from .sources import view_of
from .voting import features_of

ROUNDS = 4  # each settles the surest half of what is open, the last one all
SAME = 8.0  # a chosen colour nearer than this in CIELAB to a known one is that one


def choose(
    matcher: Any, chooser: Any, canvas: Canvas, regions: Regions, told: Completed
) -> Completed:
    """Colours for the regions that have none; the ground around the figure stays paper.

    matcher: a `RegionMatcher`; chooser: a `ColorChooser`. Nobody has asked for these colours, so
    that no region is sure of its own.
    """
    import torch

    view = view_of(canvas, regions.label)
    number = view.regions.number
    colour, known = told.colour.copy(), list(eight_bit(told.given.colours))
    ground, closed = open_ground(regions.label)
    wanted = (colour[number] == 0) & ~ground[number]
    if not wanted.any():
        return told
    own = np.zeros((len(number), 3), np.uint8)
    settled = colour[number] > 0
    own[settled] = np.array(known, np.uint8).reshape(-1, 3)[colour[number[settled]] - 1]
    fresh: list[np.ndarray] = []
    palette = np.rint(chooser.palette.numpy() * 255).astype(np.uint8)
    with torch.inference_mode():
        seen = features_of(matcher, view)
        for turn in range(ROUNDS):
            facts = torch.from_numpy(color_facts(own, settled, len(number)))[None]
            odds = chooser(seen.tokens, facts, seen.valid)[0].exp().numpy()
            odds = agreed(odds, closed[number], view.regions.share, ground[number])
            still = np.flatnonzero(wanted & ~settled)
            sure = odds[still].max(1)
            # parts of one closed area are equally sure, so that they are settled together
            surest = still if turn == ROUNDS - 1 else still[sure >= np.median(sure)]
            for index in surest:
                color = palette[odds[index].argmax()]
                at = _nearest(color, [*known, *fresh])
                if at < 0:
                    at = len(known) + len(fresh)
                    fresh.append(color)
                colour[number[index]] = at + 1
                own[index] = [*known, *fresh][at]
            settled[surest] = True
    leave_unseen(regions, number, colour)
    paints = with_paints(told.given, np.array(fresh, np.uint8).reshape(-1, 3))
    return Completed(paints, colour, told.sure, told.shade)


def _nearest(color: np.ndarray, others: list[np.ndarray]) -> int:
    """The index of the colour (3,) uint8 that is as good as the same, or -1."""
    if not others:
        return -1
    lab = rgb_to_lab(np.array([color, *others])[None].astype(np.float32) / 255)[0]
    apart = np.linalg.norm(lab[1:] - lab[0], axis=1)
    best = int(apart.argmin())
    return best if apart[best] < SAME else -1
