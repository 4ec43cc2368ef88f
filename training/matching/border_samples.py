"""Samples of the border finder: lines, broken and whole, with hints, and where areas meet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from skimage.measure import label as label_areas
from torch import Tensor

from backend.imaging.color import rgb_to_lab

from .divided import divide
from .drawings import SHOT_SETS, ByKind, RandomSamples, Subject
from .samples import other_pen, waves
from .scenes import STORED, Scene, look, prepare_scene, put_over, shapes

_FRAMES = 4  # every so many of a shot's frames: neighbours hardly differ
_INK = 128  # of 255: borders below that much ink hardly count, for the line itself tells them
_UNDER_INK = 0.1
_RARE = 4.0  # how much more a border off the lines counts than what is none
_TOLD_APART = 8.0  # in CIELAB: steps of a soft shading are no borders
_DOT = 4 / 512  # radius of a hint, of the whole drawing's side
_SMALL = 0.001  # of the drawing: every other smaller area goes without a hint
HINTS, PIXELS = 64, 1024  # of a sample, for what belongs together
_LEAST = 6  # pixels of an area that has one


class BorderScenes(RandomSamples):
    """A sample for each (epoch, index): lines with hints, and where borders are.

    ``drawing`` (5, side, side): as for `BorderFinder`. ``border``, ``weight`` (1, side, side).
    ``hint_at`` (HINTS,), ``pixel_at`` (PIXELS,): indices at half size. ``hint_class``,
    ``pixel_class``: their colours from 1; 0 = none, or an area without a hint. ``scale`` (1,):
    the side of the whole drawing at half size.
    side: of a sample, in pixels; drawings are stored at STORED, so that a smaller one shows parts.
    divided: share of samples whose areas get shadows and stripes (`divide`). warped: share of
    drawings that are stretched and bent. Neither without ``training``.
    """

    def __init__(
        self,
        subjects: list[Subject],
        cache: Path,
        *,
        count: int,
        seed: int = 0,
        side: int = 256,
        training: bool = True,
        made_up: float = 0.2,
        composed: float = 0.3,
        divided: float = 0.0,
        warped: float = 0.0,
    ) -> None:
        super().__init__(count, seed)
        self._cache, self._side, self._training = cache, side, training
        self._made_up, self._composed = made_up, composed
        self._divided, self._warped = (divided, warped) if training else (0.0, 0.0)
        self._drawings = ByKind(subjects, every=dict.fromkeys(SHOT_SETS, _FRAMES))

    def draw(self, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        scene, scale = self._scene(rng)
        if self._divided and rng.random() < self._divided:  # seeds without keep their samples
            scene = divide(scene, rng)
        ink = broken(scene.ink, rng, scale) if self._training else scene.ink
        border = borders_of(scene)
        # where a line is broken, its border counts in full
        weight = np.where(ink >= _INK, _UNDER_INK, np.where(border, _RARE, 1.0))
        part = parts_of(scene)
        hints, places = put_hints(scene, part, rng, scale, recolor=self._training)
        told = _belonging(scene, part, places, rng)
        if self._training:
            ink = other_pen(ink, rng)
        drawing = np.stack([ink, hints[..., 3], *hints[..., :3].transpose(2, 0, 1)]) / 255
        return {
            "drawing": torch.from_numpy(drawing.astype(np.float32)),
            "border": torch.from_numpy(border[None].astype(np.float32)),
            "weight": torch.from_numpy(weight[None].astype(np.float32)),
            "scale": torch.tensor([scale / 2], dtype=torch.float32),
            **{name: torch.from_numpy(values) for name, values in told.items()},
        }

    def _scene(self, rng: np.random.Generator) -> tuple[Scene, float]:
        """A scene of side x side and the sides of the whole drawing in its pixels."""
        side, draw = self._side, rng.random()
        if draw < self._made_up:
            span = float(rng.uniform(1, 1.8))
            whole = shapes(rng, round(side * span))
            return look(whole, _window(rng, whole, side, side, self._training)), side * span
        if draw >= self._made_up + self._composed:
            scene = self._drawing(rng)
            window = float(np.exp(rng.uniform(np.log(0.75 * side), np.log(1.1 * STORED))))
            place = _window(rng, scene, side, window, self._training)
            return look(scene, self._bent(rng, place)), STORED * side / window
        ground = np.ones((side, side), np.int32)
        paper = np.full((2, 3), 255, np.uint8)
        scene = Scene(np.zeros((side, side), np.uint8), ground, paper, 1)
        for _ in range(int(rng.integers(2, 7))):
            window = side * float(np.exp(rng.uniform(np.log(1.0), np.log(5.0))))
            piece = self._drawing(rng)
            if piece.ground:
                place = _window(rng, piece, side, window, True, loose=True)
                scene = put_over(scene, look(piece, self._bent(rng, place)))
        return scene, side * float(rng.uniform(1.0, 1.6))

    def _bent(self, rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
        return bent(rng, place) if self._warped and rng.random() < self._warped else place

    def _drawing(self, rng: np.random.Generator) -> Scene:
        return prepare_scene(*self._drawings.draw(rng), self._cache)


def _window(
    rng: np.random.Generator,
    scene: Scene,
    side: int,
    size: float,
    moved: bool,
    *,
    loose: bool = False,
) -> np.ndarray:
    """(side, side, 2) float32 places: a square of ``size`` pixels, turned and flipped if ``moved``.

    loose: anywhere near the scene, not only where it fills the square.
    """
    line = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    x, y = np.meshgrid(-line if moved and rng.random() < 0.5 else line, line)
    angle = float(rng.normal(0, 0.25)) if moved and rng.random() < 0.5 else 0.0
    if moved and rng.random() < 0.15:
        angle += np.pi / 2 * int(rng.integers(1, 4))
    c, s = np.cos(angle) * size, np.sin(angle) * size
    centre = []
    for whole in scene.ink.shape[::-1]:
        free = max(0.0, whole - size) / 2 if not loose else max(whole, size) / 2 * 0.8
        centre.append(whole / 2 + float(rng.uniform(-free, free)))
    place = np.stack([c * x - s * y + centre[0], s * x + c * y + centre[1]], -1)
    return np.asarray(place - 0.5, np.float32)


def bent(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Places (side, side, 2) float32 of a square, stretched by about an eighth and bent by less."""
    size = float(np.linalg.norm(place[0, -1] - place[0, 0]))
    bend = waves(rng, rng.uniform(0, 0.05) * size, (5, 5, 2), place.shape)
    middle = place.mean(axis=(0, 1))
    stretch = np.exp(rng.normal(0, 0.12, 2)).astype(np.float32)
    return np.asarray((place - middle) * stretch + middle + bend, np.float32)


def borders_of(scene: Scene) -> np.ndarray:
    """(H, W) bool: pixels on either side of where two areas meet, at a line or in two colours."""
    lined = cv2.dilate(scene.ink, np.ones((3, 3), np.uint8)) >= _INK
    lab = rgb_to_lab(scene.color[None].astype(np.float32) / 255)[0][scene.areas]
    border = np.zeros(lined.shape, bool)
    for one, other in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None),), (slice(None, -1),)),
    ):
        apart = np.linalg.norm(lab[one] - lab[other], axis=-1) >= _TOLD_APART
        meet = (scene.areas[one] != scene.areas[other]) & (apart | lined[one] | lined[other])
        border[one] |= meet
        border[other] |= meet
    return border


def broken(ink: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Lines with gaps of up to .05 of the whole drawing's side, which is ``scale`` pixels."""
    if rng.random() < 0.35:
        return ink
    ys, xs = np.nonzero(ink > _INK)
    if not len(ys):
        return ink
    result: np.ndarray = ink.copy()
    most = float(rng.uniform(0.005, 0.05)) * scale
    for at in rng.integers(len(ys), size=int(rng.integers(1, 40))):
        width = float(rng.uniform(0.4, 1.0)) * most
        cv2.circle(result, (int(xs[at]), int(ys[at])), max(1, round(width / 2)), 0, -1)
    return result


def parts_of(scene: Scene) -> np.ndarray:
    """(H, W) int: areas less the ink, in connected parts from 1; 0 = ink."""
    free = np.where(scene.ink < _INK, scene.areas + 1, 0)
    return np.asarray(label_areas(free, connectivity=1), np.int64)


def put_hints(
    scene: Scene, part: np.ndarray, rng: np.random.Generator, scale: float, *, recolor: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 4) uint8 RGBA: cores of dots and strokes in all, in some or in none of the parts.

    part: of `parts_of`. ``scale``: pixels of the whole drawing's side. Cores leave room
    (`hint_cores`), so that where a hint ends tells nothing of where its area does. Returns them and
    their places (n,), indices of pixels.
    """
    hints = np.zeros((*scene.ink.shape, 4), np.uint8)
    draw = rng.random()
    share = 1.0 if draw < 0.6 else 0.0 if draw < 0.7 else float(rng.uniform(0.2, 1.0))
    size = np.bincount(part.ravel())
    depth = _depth(part)
    at = np.flatnonzero(part)
    inner = depth.ravel()[at]
    spread = 0.0 if rng.random() < 0.5 else float(rng.uniform(0, 1))
    order = np.argsort(inner * (1 - spread * rng.random(len(at))), kind="stable")
    middle = np.zeros(len(size), np.int64)
    middle[part.ravel()[at[order]]] = at[order]  # the deepest of each part comes last
    color = _recolored(scene.color, rng) if recolor else scene.color
    strokes = rng.random() < 0.2
    core = float(rng.uniform(0.25, 0.6))
    places = []
    for number in range(1, len(size)):
        seldom = 0.5 if size[number] < _SMALL * scale**2 else 1.0
        if size[number] < _LEAST or rng.random() > share * seldom:
            continue
        y, x = divmod(int(middle[number]), scene.ink.shape[1])
        inside = float(depth[y, x])
        radius = round(core * min(_DOT * scale, inside))
        mark = np.zeros(scene.ink.shape, np.uint8)
        cv2.circle(mark, (x, y), radius, 1, -1)
        if strokes:
            length = float(rng.uniform(1, 6)) * inside
            angle = float(rng.uniform(0, 2 * np.pi))
            end = (round(x + length * np.cos(angle)), round(y + length * np.sin(angle)))
            cv2.line(mark, (x, y), end, 1, max(1, 2 * radius))
        room = (part == number) & (depth > min(inside, 3.0) / 2)
        hints[(mark > 0) & room] = (*color[scene.areas[y, x]].tolist(), 255)
        places.append(middle[number])
    return hints, np.array(places, np.int64)


def _belonging(
    scene: Scene, part: np.ndarray, places: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Some hints and some pixels, and which colours they have; small parts as often as large."""
    _, kind = np.unique(scene.color, axis=0, return_inverse=True)
    of_pixel = kind.ravel()[scene.areas].ravel() + 1
    hinted = np.zeros(int(part.max()) + 1, bool)
    hinted[part.ravel()[places]] = True
    hinted[0] = False
    at = np.flatnonzero(hinted[part.ravel()])
    chosen = np.zeros(PIXELS, np.int64)
    if len(at):
        size = np.bincount(part.ravel()[at])
        share = 1 / size[part.ravel()[at]]
        chosen[: PIXELS // 2] = rng.choice(at, PIXELS // 2)
        chosen[PIXELS // 2 :] = rng.choice(at, PIXELS - PIXELS // 2, p=share / share.sum())
    kept = rng.permutation(places)[:HINTS]
    hint_at, hint_class = np.zeros((2, HINTS), np.int64)
    width = part.shape[1]
    hint_at[: len(kept)], hint_class[: len(kept)] = _halved(kept, width), of_pixel[kept]
    there = np.isin(part.ravel()[chosen], part.ravel()[kept]) & (len(at) > 0)
    return {
        "hint_at": hint_at,
        "hint_class": hint_class,
        "pixel_at": _halved(chosen, width),
        "pixel_class": np.where(there, of_pixel[chosen], 0),
    }


def _halved(at: np.ndarray, width: int) -> np.ndarray:
    """Indices of pixels in rows of ``width`` at half the size."""
    return np.asarray((at // width // 2) * (width // 2) + at % width // 2)


def _depth(part: np.ndarray) -> np.ndarray:
    """(H, W) float32: how far each pixel is inside its part (H, W); 1 at the part's end."""
    end = np.zeros(part.shape, bool)
    across, down = part[:, 1:] != part[:, :-1], part[1:] != part[:-1]
    end[:, 1:] |= across
    end[:, :-1] |= across
    end[1:] |= down
    end[:-1] |= down
    end[[0, -1]] = end[:, [0, -1]] = True
    inner = cv2.distanceTransform((~end).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(inner + np.float32(1))


def _recolored(color: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colours (n, 3) as they are, turned in hue together, or all anew; white may stay white."""
    draw = rng.random()
    if draw < 0.4:
        return color
    if draw < 0.75:
        turned = np.asarray(color[:, rng.permutation(3)])
    else:
        turned = rng.integers(0, 256, color.shape).astype(np.uint8)
    white = color.min(axis=1) > 245
    if rng.random() < 0.8:
        turned[white] = color[white]
    return turned
