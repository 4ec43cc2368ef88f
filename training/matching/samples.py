"""Pairs of drawings as samples of the region matcher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.imaging.color import rgb_to_lab
from backend.regions.colored import SAME_PAINT
from backend.regions.describe import SIDE, Described, describe
from backend.regions.match import color_facts, hinted_picture, network_picture, thin_dark

from .drawings import STORED, Prepared, RandomSamples, Subject, prepare

REGIONS = 112  # at most, of either drawing; fewer than in use, for speed
PIXELS = 384  # places of a target whose paint is asked for one by one
LEAST_SHARE = 1e-3  # of the square; smaller regions count less
PURE = 0.7  # share of a region that has one paint, or it is no example
IGNORE = -2
NONE = -1
_HINTS, _SELF, _OTHER = "hints", "self", "other"


@dataclass(frozen=True)
class Mixture:
    """How often a sample is of which kind, and what is done to it.

    Shares of all samples: ``hints`` and ``self`` (the source is the target) by kind, else another
    drawing of the subject; ``recolor`` with fresh colours, ``flip`` with one of the two mirrored,
    ``mirror`` with both, ``pen`` with other lines. ``warp``: how strongly both are bent and turned,
    1 as a rule.
    """

    hints: float = 0.25
    self: float = 0.2
    recolor: float = 0.5
    flip: float = 0.15
    mirror: float = 0.5
    pen: float = 1.0
    warp: float = 1.0


STILL = Mixture(hints=0.0, self=0.0, recolor=0.0, flip=0.0, mirror=0.0, pen=0.0, warp=0.0)


class MatchingPairs(RandomSamples):
    """A sample for each (epoch, index): a target line drawing and a source with its paints.

    Keys ``target_*`` and ``source_*`` are the fields of `backend.models.matching.Drawing` of one
    drawing; ``paint`` (M,) the paint of each source region; ``truth`` (N,) that of each target
    region, NONE when the source lacks it, IGNORE where it does not count; ``weight`` (N,);
    ``pixel`` (PIXELS,) places in the half-size map, ``pixel_truth`` (PIXELS,).
    """

    def __init__(
        self,
        subjects: list[Subject],
        cache: Path,
        *,
        count: int,
        seed: int = 0,
        mixture: Mixture | None = None,
    ) -> None:
        super().__init__(count, seed)
        self.subjects = subjects
        self._cache, self._mixture = cache, mixture or Mixture()
        sizes = np.array([len(subject.drawings) for subject in subjects], np.float64)
        # large sets and large subjects come more often, but by far not as often as they are larger
        weight = np.sqrt(sizes)
        kinds, kind = np.unique([subject.kind for subject in subjects], return_inverse=True)
        of_kind = np.bincount(kind, weight, len(kinds))
        share = weight / np.sqrt(of_kind[kind])
        self._share = share / share.sum()

    def draw(self, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        subject = self.subjects[int(rng.choice(len(self.subjects), p=self._share))]
        kind = self._kind(rng, len(subject.drawings))
        first = int(rng.integers(len(subject.drawings)))
        second = first
        if kind == _OTHER:
            second = int(rng.choice([i for i in range(len(subject.drawings)) if i != first]))
        target = prepare(*subject.drawings[first], self._cache)
        source = target if second == first else prepare(*subject.drawings[second], self._cache)
        return self._sample(target, source, kind, rng)

    def _kind(self, rng: np.random.Generator, drawings: int) -> str:
        draw = rng.random()
        if draw < self._mixture.hints:
            return _HINTS
        if drawings == 1 or draw < self._mixture.hints + self._mixture.self:
            return _SELF
        return _OTHER

    def _sample(
        self, target: Prepared, source: Prepared, kind: str, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        color, palette = source.color, source.palette
        mixture = self._mixture
        if rng.random() < mixture.recolor:
            color, palette = _recolored(source, rng)
        flip = rng.random() < mixture.mirror
        turned = rng.random() < mixture.flip
        strength = mixture.warp * (1.2 if kind == _SELF else 0.6)
        shown = Shown(target, warp_field(rng, strength, flip), rng, rng.random() < mixture.pen)
        regions = describe(shown.regions, REGIONS)
        truth, weight = truth_of(shown, regions, source.palette, target.palette)
        pixel, pixel_truth = _pixels(shown, regions.label, source.palette, target.palette, rng)
        sample = fields_of("target", network_picture(shown.ink), regions, None)
        if kind == _HINTS:
            known = (rng.random(len(truth)) < rng.uniform(0.15, 0.85)) & (truth >= 0)
            given, paint = regions, truth
            picture = hinted_picture(shown.ink, regions.label, known, _colors(palette, paint))
            truth, pixel_truth = (_unless(part, paint[known]) for part in (truth, pixel_truth))
            truth[known] = IGNORE
        else:
            place = warp_field(rng, strength, flip ^ turned)
            other = Shown(source, place, rng, rng.random() < mixture.pen, color)
            given = describe(np.where(other.solid, other.areas, 0), REGIONS)
            paint = source.paint[given.number]
            # of a finished picture the lines may be known or not
            ink = other.ink if rng.random() < 0.5 else thin_dark(other.color)
            picture = network_picture(ink, other.color)
            known = np.ones(len(paint), bool)
        sample |= fields_of("source", picture, given, _colors(palette, paint), known)
        sample["paint"] = padded(np.where(known, paint, 0).astype(np.int64), 0)
        sample["truth"] = padded(truth.astype(np.int64), IGNORE)
        sample["weight"] = padded(weight, 0)
        sample["pixel"] = torch.from_numpy(pixel)
        sample["pixel_truth"] = torch.from_numpy(pixel_truth)
        return sample


class Shown:
    """A prepared drawing seen through a warp, at SIDE x SIDE."""

    def __init__(
        self,
        drawing: Prepared,
        place: np.ndarray,
        rng: np.random.Generator,
        changed_pen: bool,
        color: np.ndarray | None = None,
    ) -> None:
        def look(picture: np.ndarray, outside: int, exact: bool) -> np.ndarray:
            flags = cv2.INTER_NEAREST if exact else cv2.INTER_LINEAR
            if picture.dtype == np.int32:
                picture = picture.astype(np.float32)
            seen = cv2.remap(
                picture,
                place[..., 0],
                place[..., 1],
                flags,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(outside,) * 4,
            )
            return np.asarray(seen, np.int32) if seen.dtype == np.float32 else np.asarray(seen)

        self.ink = look(drawing.ink, 0, False)
        if changed_pen:
            self.ink = other_pen(self.ink, rng)
        self.color = look(drawing.color if color is None else color, 255, False)
        self.regions = look(drawing.regions, 0, True)
        self.areas = look(drawing.areas, 0, True)
        self.solid = look(drawing.solid.astype(np.uint8), 0, True) > 0
        self.paint = drawing.paint


def warp_field(rng: np.random.Generator, strength: float, flip: bool) -> np.ndarray:
    """(SIDE, SIDE, 2) float32 places in the stored square: a smooth warp and an affine map."""
    line = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(-line if flip else line, line)
    angle = rng.normal(0, 0.12) * strength
    scale = 1.0  # the whole square, as when a drawing is coloured
    if strength:
        scale *= np.exp(rng.normal(0.02, 0.08) * min(1, strength))
    stretch = np.exp(rng.normal(0, 0.06) * strength)
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    moved = np.stack([c * x * stretch - s * y / stretch, s * x * stretch + c * y / stretch], -1)
    if strength:
        moved += waves(rng, 0.035 * strength, (5, 5, 2), moved.shape)
        moved += rng.normal(0, 0.025, 2)
    return ((moved + 0.5) * STORED - 0.5).astype(np.float32)


def waves(
    rng: np.random.Generator, deviation: float, knots: tuple[int, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """Smooth numbers around 0, (h, w) or (h, w, n) float32: random at ``knots``, (y, x) or more."""
    coarse = rng.normal(0, deviation, knots).astype(np.float32)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def other_pen(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The lines thicker or thinner, paler, blurred or noisy."""
    draw = rng.random()
    if draw < 0.2:
        ink = cv2.dilate(ink, np.ones((2, 2), np.uint8))
    elif draw < 0.35:
        ink = cv2.erode(ink, np.ones((2, 2), np.uint8))
    if rng.random() < 0.2:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.2:
        noisy = ink * rng.uniform(0.5, 1.0) + rng.normal(0, 6, ink.shape)
        ink = np.clip(noisy, 0, 255).astype(np.uint8)
    return ink


def _recolored(drawing: Prepared, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The picture and its palette in fresh colours; shading and ink stay."""
    palette = drawing.palette
    fresh = rng.integers(20, 250, palette.shape).astype(np.uint8)
    near_white = palette.min(axis=1, initial=255) > 245
    if rng.random() < 0.7:
        fresh[near_white] = palette[near_white]
    index = np.maximum(drawing.paint[drawing.areas], 0)
    if not len(palette):
        return drawing.color, palette
    old = palette[index].astype(np.float32).max(-1) + 1
    shade = np.minimum(1.3, (drawing.color.astype(np.float32).max(-1) + 1) / old)
    color = np.clip(fresh[index] * shade[..., None], 0, 255).astype(np.uint8)
    return color, fresh


def _paint_map(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """(P_target + 1,) index of the same paint in the source's palette, NONE; the last for none."""
    found = np.full(len(target) + 1, NONE, np.int64)
    if len(target) and len(source):
        lab = [rgb_to_lab(p[None].astype(np.float32) / 255)[0] for p in (target, source)]
        apart = np.linalg.norm(lab[0][:, None] - lab[1][None], axis=-1)
        best = apart.argmin(1)
        found[:-1] = np.where(apart[np.arange(len(best)), best] < SAME_PAINT, best, NONE)
    return found


def truth_of(
    shown: Shown, regions: Described, source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Paint in the source's palette and weight of each described region."""
    label, count = regions.label, len(regions.number)
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    own = shown.paint[shown.areas]
    at = (label > 0) & (own >= 0)
    votes = np.zeros((count, max(1, len(target))), np.int64)
    np.add.at(votes, (label[at] - 1, own[at]), 1)
    best, total = votes.argmax(1), votes.sum(1)
    pure = votes[np.arange(count), best] > PURE * np.maximum(1, total)
    translate = _paint_map(target, source)
    truth = np.where(pure & (total > 0), translate[best], IGNORE)
    share = regions.share
    return truth, np.where(share >= LEAST_SHARE, 1.0, 0.25).astype(np.float32)


def _pixels(
    shown: Shown,
    label: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    half = label[::2, ::2]
    own = np.where(shown.solid, shown.paint[shown.areas], -1)[::2, ::2]
    at = np.flatnonzero((half > 0) & (own >= 0))
    if not len(at):
        return np.zeros(PIXELS, np.int64), np.full(PIXELS, IGNORE, np.int64)
    area = np.bincount(half.ravel())
    odds = 1 / np.sqrt(area[half.ravel()[at]])
    chosen = rng.choice(at, PIXELS, p=odds / odds.sum())
    return chosen, _paint_map(target, source)[own.ravel()[chosen]]


def _colors(palette: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """(N, 3) uint8; what has no paint gets any."""
    if not len(palette):
        return np.zeros((len(paint), 3), np.uint8)
    return np.asarray(palette[np.maximum(paint, 0)])


def _unless(truth: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The truth with NONE where its paint is not among those that are ``present``."""
    return np.where((truth >= 0) & ~np.isin(truth, present), NONE, truth)


def fields_of(
    side: str,
    picture: np.ndarray,
    regions: Described,
    colors: np.ndarray | None,
    valid: np.ndarray | None = None,
) -> dict[str, Tensor]:
    count = len(regions.number)
    known = np.ones(count, bool) if valid is None else valid
    return {
        f"{side}_picture": torch.from_numpy(picture),
        f"{side}_label": torch.from_numpy(regions.label[::2, ::2].astype(np.int64)),
        f"{side}_facts": padded(regions.facts, 0),
        f"{side}_point": padded(regions.point, 0),
        f"{side}_color": padded(color_facts(colors, known, count), 0),
        f"{side}_valid": padded(known, False),
    }


def padded(values: np.ndarray, filler: float) -> Tensor:
    full = np.full((REGIONS, *values.shape[1:]), filler, values.dtype)
    full[: len(values)] = values
    return torch.from_numpy(full)
