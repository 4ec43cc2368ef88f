"""What hints leave open is decided after the references and after the drawing's hinted regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from backend.imaging.hints import Hints, eight_bit, with_paints
from backend.regions.borders import FindBorders
from backend.regions.colored import INK
from backend.regions.figure import agreed, at_border, off_ground, open_ground
from backend.regions.fill import Regions
from backend.regions.match import hinted_picture
from backend.regions.settle import settle

from .canvas import Canvas
from .laying import LaidPaints, believe, divide, lay_views
from .painting import painter_of
from .shading import Shade, painted_shade, shade_of
from .sources import Source, View, facing, union_palette, view_of
from .voting import Votes, combine, region_scores, vote, vote_painted, vote_view

SURE = 0.3  # a region follows hints elsewhere in the drawing from this probability on
PAPER = 0.4  # how much more likely an open place around the figure has the paint of the ground


@dataclass(frozen=True)
class Completed:
    """given: the hints with more paints after their colours. colour: (n + 1,) by region id,
    1 + index into them, 0 = none. sure: (n + 1,) float32 in [0, 1]. shade: of the sources."""

    given: Hints
    colour: np.ndarray
    sure: np.ndarray
    shade: Shade | None = None


@dataclass(frozen=True)
class _Told:
    """The sources as one drawing sees them. faced: their views. places: of their paints in the
    joint palette, which has ``paints`` and begins with the colours of the hints."""

    sources: Sequence[Source]
    faced: Sequence[View]
    places: Sequence[np.ndarray]
    paints: int

    @property
    def paint_of_regions(self) -> list[np.ndarray]:
        """(M,) of each source: the paint of each of its described regions."""
        rows = zip(self.sources, self.faced, self.places, strict=True)
        return [place[source.areas.paint[view.regions.number]] for source, view, place in rows]

    @cached_property
    def dark(self) -> np.ndarray:
        """(P,) bool: paints as dark as ink that may be lines of a finished picture."""
        dark = np.zeros(self.paints, bool)
        for source, place in zip(self.sources, self.places, strict=True):
            if not source.lined:
                dark[place[source.areas.palette.max(1) < INK]] = True
        return dark


def complete(
    canvas: Canvas,
    regions: Regions,
    given: Hints,
    sources: Sequence[Source],
    network: Callable[[], Any],
    step: Callable[[float, str], None],
    *,
    borders: FindBorders | None = None,
    soft: bool = False,
) -> Completed:
    """Colours for the regions without a hint. network: gives a `RegionMatcher`. borders: where
    parts of a region meet that no line parts. soft: with shade. step: hears of 0.3 to 0.6.

    Takes regions of ``regions.label`` apart, and away where they are too small to be seen.
    """
    colour = regions.colour.copy()
    sure = (colour > 0).astype(np.float32)
    nobody_speaks = not sources and not (colour > 0).any()
    if colour[1:].all() or nobody_speaks:
        return Completed(given, colour, sure)
    view = view_of(canvas, regions.label)
    number = view.regions.number
    own = colour[number]
    palette, places = union_palette(sources)
    told = _tell(view, sources, places, len(given.colours), len(palette))
    votes = _votes(network(), view, own, given, told, step)
    if votes is None:
        return Completed(given, colour, sure)
    ground, closed = open_ground(regions.label)
    outside = ground[number]
    laid = _lay_sources(view, told) if sources else None
    score = _scores(regions.label, view, told, votes, laid, ground, closed)
    best = score.argmax(1)
    chance = score[np.arange(len(best)), best]
    # a reference colours everything; hints alone only what they speak of, and never the paper
    is_told = chance > 0 if sources else (chance >= SURE) & ~outside
    take = (own == 0) & is_told
    colour[number[take]] = best[take] + 1
    sure[number[take]] = np.minimum(1, chance[take])
    paints = with_paints(given, palette)
    if laid is not None:
        undivided, count = regions.label.copy(), len(colour)
        colour, sure = _divided(regions, colour, sure, view, laid, told, take, outside)
        if borders is not None:
            owner = _cut_within(undivided, regions.label >= count, ground)
            if owner.any():
                step(0.6, "finding borders")
                settle(canvas.ink, owner, regions.label, colour, paints, borders)
    shade = _shade(regions, colour, paints, view, votes, laid, ground) if soft else None
    return Completed(paints, colour, sure, shade)


def _tell(
    view: View, sources: Sequence[Source], places: Sequence[np.ndarray], hinted: int, added: int
) -> _Told:
    """The sources as ``view`` sees them. places: of `union_palette`. hinted, added: how many
    colours the hints have, and the sources' palette."""
    return _Told(
        sources,
        [facing(view, source) for source in sources],
        [place + hinted for place in places],
        hinted + added,
    )


def _lay_sources(view: View, told: _Told) -> LaidPaints:
    """`lay_views` of the sources."""
    sources = zip(told.places, told.sources, strict=True)
    grounds = [int(place[one.ground]) if one.ground >= 0 else -1 for place, one in sources]
    return lay_views(view, told.faced, told.places, told.paints, grounds)


def _votes(
    network: Any,
    view: View,
    own: np.ndarray,
    given: Hints,
    told: _Told,
    step: Callable[[float, str], None],
) -> Votes | None:
    """What the sources and the hinted regions say of the others; None when nobody speaks."""
    votes, places = [], []
    painter = painter_of(network)
    if painter is not None and told.sources:
        votes.append(vote_painted(painter, view, told.faced, told.paint_of_regions, told.paints))
        places.append(np.arange(told.paints))
    else:
        for done, (source, faced) in enumerate(zip(told.sources, told.faced, strict=True)):
            step(0.3 + 0.3 * done / len(told.sources), "comparing drawings")
            votes.append(vote(network, view, source, faced))
            places.append(told.places[done])
    if own.any():
        votes.append(_own_votes(network, view, own, given))
        places.append(np.arange(len(given.colours)))
    return combine(votes, places, told.paints) if votes else None


def _scores(
    label: np.ndarray,
    view: View,
    told: _Told,
    votes: Votes,
    laid: LaidPaints | None,
    ground: np.ndarray,
    closed: np.ndarray,
) -> np.ndarray:
    """(N, P) how likely each described region has each paint, by all that speaks of it.

    label: (h, w) int32. laid: what lies on the drawing, None without sources. ground, closed: as
    of `open_ground`.
    """
    number = view.regions.number
    outside = ground[number]
    at_edge = outside & at_border(label)[number]
    score = _with_paper(region_scores(votes, view), told, outside, at_edge)
    score = agreed(score, closed[number], view.regions.share, outside)
    if laid is not None:
        score = np.where(at_edge[:, None], score, believe(score, view, laid))
    score[np.ix_(outside, told.dark)] = 0  # lines of a finished picture are no paint of the ground
    return score


def _divided(
    regions: Regions,
    colour: np.ndarray,
    sure: np.ndarray,
    view: View,
    laid: LaidPaints,
    told: _Told,
    divisible: np.ndarray,
    outside: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """`divide` for the described regions that are ``divisible``, or ``outside``, (N,) bool."""
    number = view.regions.number
    kept_whole, ground = np.ones(len(colour), bool), np.zeros(len(colour), bool)
    kept_whole[number[divisible]] = False
    ground[number[outside]] = True
    colour, sure = divide(regions.label, colour, sure, view, laid, kept_whole, told.dark, ground)
    leave_unseen(regions, number, colour)
    return colour, sure


def _cut_within(undivided: np.ndarray, pieces: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """(h, w) int32: the ``undivided`` regions that ``pieces``, (h, w) bool, lie in; 0 elsewhere.

    Not those of the ``ground``, (n,) bool by region id: no network sees where open parts end.
    """
    cut = np.zeros(len(ground), bool)
    cut[np.unique(undivided[pieces])] = True
    cut[0] = False
    return np.where((cut & ~ground)[undivided], undivided, 0).astype(np.int32)


def leave_unseen(regions: Regions, seen: np.ndarray, colour: np.ndarray) -> None:
    """What has no colour and was too small to be among the ``seen`` follows its neighbours."""
    unseen = np.setdiff1d(np.unique(regions.label), np.append(seen, 0))
    regions.label[np.isin(regions.label, unseen[colour[unseen] == 0])] = 0


def _with_paper(
    score: np.ndarray, told: _Told, outside: np.ndarray, at_edge: np.ndarray
) -> np.ndarray:
    """(N, P) scores where what is outside a figure rather has a paint that is around a source's.

    outside: (N,) bool, of the open ground. at_edge: (N,) bool, along the canvas border, too.
    """
    sources = zip(told.places, told.sources, strict=True)
    around = {int(place[source.ground]) for place, source in sources if source.ground >= 0}
    for paint in around:
        score[outside, paint] += PAPER / len(around)
        score[at_edge, paint] += 1
    return score


def _shade(
    regions: Regions,
    colour: np.ndarray,
    paints: Hints,
    view: View,
    votes: Votes,
    laid: LaidPaints | None,
    ground: np.ndarray,
) -> Shade | None:
    """What a network has painted over the flat colours, or the sources show; None without both."""
    colors = eight_bit(paints.colours)
    if votes.painted is not None:
        figure = off_ground(colour, ground)
        return painted_shade(regions.label, figure, colors, view.box, votes.painted, regions.colour)
    return None if laid is None else shade_of(regions.label, colour, colors, view, laid)


def _own_votes(network: Any, view: View, own: np.ndarray, given: Hints) -> Votes:
    """What the drawing's own hinted regions say of the others. own: (N,) 1 + colour, 0 = none."""
    known = own > 0
    colors = np.zeros((len(own), 3), np.uint8)
    colors[known] = eight_bit(given.colours)[own[known] - 1]
    ink = np.rint(view.picture[0] * 255).astype(np.uint8)
    picture = hinted_picture(ink, view.regions.label, known, colors)
    source = replace(view, picture=picture, colors=colors, known=known)
    paint = np.where(known, own - 1, 0)
    return vote_view(network, view, source, paint, len(given.colours))
