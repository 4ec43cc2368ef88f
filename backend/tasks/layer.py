"""Task layer: line art coloured by hints, by coloured references, or by both.

Hints decide their regions, exactly. What they leave open the region matcher decides: after the
references, and after the hinted regions of the drawing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.imaging.hints import Hints, full_alpha
from backend.regions.areas import border_contact
from backend.regions.colored import INK
from backend.regions.describe import closed_areas, find_ground
from backend.regions.fill import Regions, fill_chambers
from backend.regions.match import hinted_picture
from protocol.errors import ErrorCode, NuriError

from .canvas import Canvas
from .flats import FlatsResult, at_size, check_hints, check_size, finish
from .laying import believe, divide, lay_views
from .sources import (
    Source,
    View,
    Votes,
    combine,
    facing,
    union_palette,
    view_of,
    vote,
    vote_view,
)

SURE = 0.3  # a region follows hints elsewhere in the drawing from this probability on
PAPER = 0.2  # how much more likely an open place around the figure has the paint of the ground
LEAST_BORDER = 0.02  # share of the canvas border from which a part of the ground lies at it
PIXELS = 0.5  # share of a region's vote that its pixels have


@dataclass(frozen=True)
class LayerResult(FlatsResult):
    """confidence: (n_regions + 1,) float32 in [0, 1] by region id; 1 where a hint has decided."""

    confidence: np.ndarray


def colour_layer(
    canvas: Canvas,
    network: Callable[[], Any],
    *,
    hints: np.ndarray | None = None,
    sources: Sequence[Source] = (),
    mask: np.ndarray | None = None,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> LayerResult:
    """Colour every region that a hint reaches or that answers to a region of a known colour.

    canvas: the lines (`read_canvas`); what is worked out of them stays with it. network: gives a
    `RegionMatcher` and is asked once a region is open. hints: (H, W, C) any dtype, alpha last, in
    RGB order where there are sources. mask: (H, W) uint8 selection. Raises NuriError: bad_input
    (neither hints nor sources, sizes that differ), cancelled.
    """

    def step(fraction: float, stage: str) -> None:
        if cancelled():
            raise NuriError(ErrorCode.cancelled, "the job was cancelled")
        progress(fraction, stage)

    if hints is not None:
        check_size(canvas.dark, hints)
    given = _no_hints(canvas.dark.shape) if hints is None else check_hints(hints)
    if given.empty and not sources:
        raise NuriError(
            ErrorCode.bad_input,
            "there are neither hints nor references",
            "Paint hints, or choose a coloured drawing as reference",
        )
    step(0.1, "finding regions")
    chambers = canvas.chambers
    if given.empty:
        regions = Regions(chambers.label.copy(), np.zeros(len(chambers.area), np.int32))
    else:
        regions = fill_chambers(chambers, at_size(given, canvas.ink.shape))
    step(0.3, "comparing drawings")
    given, colour, sure = _complete(canvas, regions, given, sources, network, step)
    step(0.6, "following lines")
    small = Regions(regions.label, colour)
    done = finish(canvas, chambers, small, given, mask, step)
    confidence = np.ones(len(done.region_palette), np.float32)
    confidence[: len(sure)] = sure
    return LayerResult(**vars(done), confidence=confidence)


def _no_hints(shape: tuple[int, int]) -> Hints:
    nothing = np.zeros(shape, np.int32)
    return Hints(nothing, np.zeros((0, 4), np.uint8), nothing, np.zeros(1, np.int32))


def _complete(
    canvas: Canvas,
    regions: Regions,
    given: Hints,
    sources: Sequence[Source],
    network: Callable[[], Any],
    step: Callable[[float, str], None],
) -> tuple[Hints, np.ndarray, np.ndarray]:
    """Colours for the regions without a hint.

    Returns the hints with the references' paints added to their colours, the colour of each region
    (1 + index, 0 = none) and how sure it is.
    """
    colour = regions.colour.copy()
    sure = (colour > 0).astype(np.float32)
    if not ((colour == 0)[1:]).any():
        return given, colour, sure
    view = view_of(canvas, regions.label)
    number = view.regions.number
    own = colour[number]
    matcher = network()
    faced = [facing(view, source) for source in sources]
    palette, places = union_palette(sources)
    first = len(given.colours)
    places = [place + first for place in places]
    votes = []
    for done, source in enumerate(sources):
        step(0.3 + 0.3 * done / len(sources), "comparing drawings")
        votes.append(vote(matcher, view, source, faced[done]))
    if own.any():
        votes.append(_own_votes(matcher, view, own, given))
    if not votes:
        return given, colour, sure
    total = combine(votes, [*places, np.arange(first)][: len(votes)], first + len(palette))
    ground, closed = open_ground(regions.label)
    outside = ground[number]
    around = {int(p[s.ground]) for p, s in zip(places, sources, strict=True) if s.ground >= 0}
    score = region_scores(total, view)
    score = _with_paper(score, around, outside, outside & at_border(regions.label)[number])
    score = _agreed(score, closed[number], view.regions.share, outside)
    if sources:
        laid = lay_views(view, faced, places, first + len(palette))
        score = believe(score, view, laid)
    best = score.argmax(1)
    chance = score[np.arange(len(best)), best]
    # a reference colours everything; hints alone only what they speak of, and never the paper
    told = chance > 0 if sources else (chance >= SURE) & ~outside
    take = (own == 0) & told
    colour[number[take]] = best[take] + 1
    sure[number[take]] = np.minimum(1, chance[take])
    if sources:
        whole = np.ones(len(colour), bool)
        whole[number[take & ~outside]] = False
        dark = np.zeros(first + len(palette), bool)
        for source, place in zip(sources, places, strict=True):
            if not source.lined:
                dark[place[source.areas.palette.max(1) < INK]] = True
        colour, sure = divide(regions.label, colour, sure, view, laid, whole, dark)
        # what is too small for the network follows its neighbours
        unseen = np.setdiff1d(np.unique(regions.label), np.append(number, 0))
        regions.label[np.isin(regions.label, unseen[colour[unseen] == 0])] = 0
    return _with_paints(given, palette), colour, sure


def _with_paper(
    score: np.ndarray, around: set[int], outside: np.ndarray, at_edge: np.ndarray
) -> np.ndarray:
    """(N, P) scores where what is outside a figure rather has a paint that is ``around`` one.

    outside: (N,) bool, of the open ground. at_edge: (N,) bool, along the canvas border, too.
    """
    for paint in around:
        score[outside, paint] += PAPER / len(around)
        score[at_edge, paint] += 1
    return score


def open_ground(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By region id of (h, w) int32: (n,) bool, part of the ground around a figure, and (n,) int,
    the area closed by lines that it lies in.
    """
    closed = closed_areas(label)
    area_of = np.zeros(int(label.max()) + 1, np.int64)
    area_of[label.ravel()] = closed.ravel()
    ground = find_ground(closed)
    return (area_of == ground) & (ground > 0), area_of


def at_border(label: np.ndarray) -> np.ndarray:
    """(n,) bool by region id of (h, w) int32: lies along the canvas border."""
    contact = border_contact(label, int(label.max()) + 1)
    return contact >= LEAST_BORDER * 2 * sum(label.shape)


def _agreed(
    score: np.ndarray, closed: np.ndarray, share: np.ndarray, ground: np.ndarray
) -> np.ndarray:
    """(N, P) scores where the parts of one closed area decide together, by their size.

    A narrow place inside a figure is no border. In the open ground it may be the only one that
    keeps a figure with a large opening apart.
    """
    _, group = np.unique(np.where(ground, -1 - np.arange(len(closed)), closed), return_inverse=True)
    weight = np.maximum(share, 1e-9)[:, None]
    total = np.zeros((len(score), score.shape[1]))
    whole = np.zeros((len(score), 1))
    np.add.at(total, group, score * weight)
    np.add.at(whole, group, weight)
    return (total / np.maximum(whole, 1e-9))[group]


def region_scores(votes: Votes, view: View) -> np.ndarray:
    """(N, P) of each region: what it and its pixels say."""
    label = view.regions.label[::2, ::2]
    count = len(view.regions.number)
    at = np.flatnonzero(label)
    owner = label.ravel()[at] - 1
    paints = votes.regions.shape[1]
    total = np.zeros((count, paints), np.float32)
    np.add.at(total, owner, votes.pixels.reshape(-1, paints)[at])
    amount = np.bincount(owner, minlength=count)[:, None]
    seen = amount[:, 0] > 0
    score = votes.regions.copy()
    score[seen] = (1 - PIXELS) * score[seen] + PIXELS * (total / np.maximum(1, amount))[seen]
    return score


def _own_votes(network: Any, view: View, own: np.ndarray, given: Hints) -> Votes:
    """What the drawing's own hinted regions say of the others. own: (N,) 1 + colour, 0 = none."""
    known = own > 0
    colors = np.zeros((len(own), 3), np.uint8)
    colors[known] = _eight_bit(given.colours)[own[known] - 1]
    ink = np.rint(view.picture[0] * 255).astype(np.uint8)
    picture = hinted_picture(ink, view.regions.label, known, colors)
    source = replace(view, picture=picture, colors=colors, known=known, features=None)
    paint = np.where(known, own - 1, 0)
    return vote_view(network, view, source, paint, len(given.colours))


def _eight_bit(colours: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 of colours in any type, as if they were RGB: hues need not be right here."""
    top = full_alpha(colours.dtype)
    channels = colours[:, [min(i, colours.shape[1] - 2) for i in range(3)]]
    unit = np.clip(np.nan_to_num(channels.astype(np.float32)) / top, 0, 1)
    return np.rint(unit * 255).astype(np.uint8)


def _with_paints(given: Hints, palette: np.ndarray) -> Hints:
    """The hints with paints (P, 3) uint8 RGB after their colours, in the hints' type."""
    if not len(palette):
        return given
    top = full_alpha(given.colours.dtype)
    solid = np.column_stack([palette, np.full(len(palette), 255, np.uint8)]) / 255 * top
    if np.issubdtype(given.colours.dtype, np.integer):
        solid = np.rint(solid)
    colours = np.concatenate([given.colours, solid.astype(given.colours.dtype)])
    return replace(given, colours=colours)
