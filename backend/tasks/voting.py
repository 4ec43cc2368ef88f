"""What the regions of a drawing are, as coloured drawings see them: shares of paints.

A network compares regions; or it paints, and its colours speak for the paints they are near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.regions.describe import SIDE
from backend.regions.match import color_facts

from .painting import Painter, painter_of, read_votes
from .sources import Source, View

PIXELS = 0.5  # share of a region's vote that its pixels have


@dataclass(frozen=True)
class Votes:
    """What a drawing's regions and pixels are, by paint.

    regions: (N, P) probabilities for the described regions. pixels: (S/2, S/2, P) float32. The
    rest of each sum is the probability of none of the paints. painted: (s, s, 3) float32 RGB in
    [0, 1], what a network that paints has made of the drawing.
    """

    regions: np.ndarray
    pixels: np.ndarray
    painted: np.ndarray | None = None


def vote(network: Any, target: View, source: Source, view: View) -> Votes:
    """Compare a drawing with one source, seen as ``view`` (`facing`)."""
    paint = source.areas.paint[view.regions.number]
    return vote_view(network, target, view, paint, len(source.areas.palette))


def combine(votes: Sequence[Votes], places: Sequence[np.ndarray], paints: int) -> Votes:
    """The votes of several sources in one palette; where one is surer it counts more."""
    shape = votes[0].regions.shape[0], votes[0].pixels.shape[:2]
    regions = np.zeros((shape[0], paints), np.float32)
    pixels = np.zeros((*shape[1], paints), np.float32)
    weight = np.zeros((shape[0], 1), np.float32)
    for one, place in zip(votes, places, strict=True):
        sure = one.regions.max(axis=1, initial=0)[:, None] ** 2 + 1e-6
        mapped = np.zeros_like(regions)
        np.add.at(mapped.T, place, one.regions.T)
        regions += sure * mapped
        weight += sure
        spread = np.zeros_like(pixels)
        np.add.at(spread.transpose(2, 0, 1), place, one.pixels.transpose(2, 0, 1))
        pixels += spread / len(votes)
    painted = [one.painted for one in votes if one.painted is not None]
    return Votes(regions / weight, pixels, np.mean(painted, axis=0) if painted else None)


def vote_view(network: Any, target: View, source: View, paint: np.ndarray, paints: int) -> Votes:
    """The votes of one view; ``paint`` (M,) of each region of the source."""
    painter = painter_of(network)
    if painter is not None:
        return vote_painted(painter, target, [source], [paint], paints)
    import torch

    with torch.inference_mode():
        ours, theirs = features_of(network, target), features_of(network, source)
        output = network.match(ours, theirs)
        known = theirs.valid[0]
        table = torch.zeros(len(known), paints)
        table[torch.arange(len(paint)), torch.from_numpy(paint.astype(np.int64))] = 1
        table[~known] = 0
        regions = output.regions[0, :, :-1].exp() @ table
        pixels = ours.pixels[0].flatten(1).T[None]
        half = torch.from_numpy(target.regions.label[::2, ::2].astype(np.int64)).reshape(1, -1)
        inside = torch.nonzero(half[0])[:, 0]
        owner = half[:, inside] - 1
        by_pixel = torch.zeros(half.shape[1], paints)
        scores = network.pixel_matches(pixels[:, inside], owner, output)
        by_pixel[inside] = scores[0, :, :-1].exp() @ table
    side = SIDE // 2
    return Votes(regions.numpy(), by_pixel.view(side, side, paints).numpy())


def vote_painted(
    painter: Painter,
    target: View,
    sources: Sequence[View],
    paint: Sequence[np.ndarray],
    paints: int,
) -> Votes:
    """The votes of what a network paints after ``sources``, for the paints that it is near.

    paint: (M,) of each region of each source, below ``paints``.
    """
    painted = painter.paint(target, sources)
    colors, kinds = [], []
    for source, kind in zip(sources, paint, strict=True):
        known = np.flatnonzero(_known(source))
        assert source.colors is not None  # a source shows its colours
        colors.append(source.colors[known])
        kinds.append(kind[known])
    there, first = np.unique(np.concatenate(kinds), return_index=True)
    label, count = target.regions.label, len(target.regions.number)
    wide = np.zeros((len(there), paints), np.float32)
    wide[np.arange(len(there)), there] = 1
    regions, pixels = read_votes(painted, label, count, np.concatenate(colors)[first])
    return Votes(regions @ wide, pixels @ wide, painted)


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


def features_of(network: Any, view: View) -> Any:
    """What the network sees of a view; kept with it, and what depends on lines alone with these."""
    return view.once((network,), lambda: network.features(_drawing(view), _maps(network, view)))


def _maps(network: Any, view: View) -> Any:
    """`RegionMatcher.pyramid` of a view's lines where these are all that its picture has."""
    import torch

    look = view.look
    if look is None or view.picture is not look.picture:
        return None
    return look.once((network,), lambda: network.pyramid(torch.from_numpy(view.picture)[None]))


def _drawing(view: View) -> Any:
    import torch

    from backend.models.matching import Drawing

    regions = view.regions
    count = len(regions.number)
    known = _known(view)
    label = np.ascontiguousarray(regions.label[::2, ::2]).astype(np.int64)
    # the network wants one region at least
    rows = max(1, count)
    facts, point, color = (
        np.zeros((rows, values.shape[1]), np.float32)
        for values in (regions.facts, regions.point, np.zeros((0, 4)))
    )
    facts[:count], point[:count] = regions.facts, regions.point
    color[:count] = color_facts(view.colors, known, count)
    return Drawing(
        picture=torch.from_numpy(view.picture)[None],
        label=torch.from_numpy(label)[None],
        facts=torch.from_numpy(facts)[None],
        point=torch.from_numpy(point)[None],
        color=torch.from_numpy(color)[None],
        valid=torch.from_numpy(known if count else np.zeros(1, bool))[None],
    )


def _known(view: View) -> np.ndarray:
    return np.ones(len(view.regions.number), bool) if view.known is None else view.known
