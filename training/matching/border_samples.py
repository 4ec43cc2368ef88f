"""Samples of the border finder: lines, broken and whole, with hints, and where areas meet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from backend.imaging.color import rgb_to_lab
from training.data.seeds import sample_rng

from .drawings import SHOT_SETS, ByKind, Subject
from .samples import other_pen
from .scenes import STORED, Scene, look, prepare_scene, put_over, shapes

SIDE = 256
_FRAMES = 4  # every so many of a shot's frames: neighbours hardly differ
_INK = 128  # of 255: borders below that much ink hardly count, for the line itself tells them
_UNDER_INK = 0.1
_RARE = 4.0  # how much more a border off the lines counts than what is none
_TOLD_APART = 8.0  # in CIELAB: steps of a soft shading are no borders
_DOT = 4 / 512  # radius of a hint, of the whole drawing's side


class BorderScenes(Dataset[dict[str, Tensor]]):
    """A sample for each (epoch, index): lines with hints, and where borders are.

    ``drawing`` (5, SIDE, SIDE): as for `BorderFinder`. ``border``, ``weight`` (1, SIDE, SIDE).
    """

    def __init__(
        self,
        subjects: list[Subject],
        cache: Path,
        *,
        count: int,
        seed: int = 0,
        training: bool = True,
        made_up: float = 0.2,
        composed: float = 0.3,
    ) -> None:
        self._cache, self._count, self._seed, self._training = cache, count, seed, training
        self._made_up, self._composed = made_up, composed
        self._drawings = ByKind(subjects, every=dict.fromkeys(SHOT_SETS, _FRAMES))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        rng = sample_rng(self._seed, epoch, index)
        scene, scale = self._scene(rng)
        ink = broken(scene.ink, rng, scale) if self._training else scene.ink
        border = borders_of(scene)
        # where a line is broken, its border counts in full
        weight = np.where(ink >= _INK, _UNDER_INK, np.where(border, _RARE, 1.0))
        hints = put_hints(scene, border, rng, scale, recolor=self._training)
        if self._training:
            ink = other_pen(ink, rng)
        drawing = np.stack([ink, hints[..., 3], *hints[..., :3].transpose(2, 0, 1)]) / 255
        return {
            "drawing": torch.from_numpy(drawing.astype(np.float32)),
            "border": torch.from_numpy(border[None].astype(np.float32)),
            "weight": torch.from_numpy(weight[None].astype(np.float32)),
        }

    def _scene(self, rng: np.random.Generator) -> tuple[Scene, float]:
        """A scene of SIDE x SIDE and the sides of the whole drawing in its pixels."""
        draw = rng.random()
        if draw < self._made_up:
            span = float(rng.uniform(1, 1.8))
            whole = shapes(rng, round(SIDE * span))
            return look(whole, _window(rng, whole, SIDE, self._training)), SIDE * span
        if draw >= self._made_up + self._composed:
            scene = self._drawing(rng)
            window = SIDE * float(np.exp(rng.uniform(np.log(0.75), np.log(2.2))))
            return look(scene, _window(rng, scene, window, self._training)), STORED * SIDE / window
        ground = np.ones((SIDE, SIDE), np.int32)
        paper = np.full((2, 3), 255, np.uint8)
        scene = Scene(np.zeros((SIDE, SIDE), np.uint8), ground, paper, 1)
        for _ in range(int(rng.integers(2, 7))):
            window = SIDE * float(np.exp(rng.uniform(np.log(1.0), np.log(5.0))))
            piece = self._drawing(rng)
            if piece.ground:
                scene = put_over(scene, look(piece, _window(rng, piece, window, True, loose=True)))
        return scene, SIDE * float(rng.uniform(1.0, 1.6))

    def _drawing(self, rng: np.random.Generator) -> Scene:
        return prepare_scene(*self._drawings.draw(rng), self._cache)


def _window(
    rng: np.random.Generator, scene: Scene, size: float, moved: bool, *, loose: bool = False
) -> np.ndarray:
    """(SIDE, SIDE, 2) float32 places: a square of ``size`` pixels, turned and flipped if ``moved``.

    loose: anywhere near the scene, not only where it fills the square.
    """
    line = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(-line if moved and rng.random() < 0.5 else line, line)
    angle = float(rng.normal(0, 0.25)) if moved and rng.random() < 0.5 else 0.0
    if moved and rng.random() < 0.15:
        angle += np.pi / 2 * int(rng.integers(1, 4))
    c, s = np.cos(angle) * size, np.sin(angle) * size
    centre = []
    for side in scene.ink.shape[::-1]:
        free = max(0.0, side - size) / 2 if not loose else max(side, size) / 2 * 0.8
        centre.append(side / 2 + float(rng.uniform(-free, free)))
    place = np.stack([c * x - s * y + centre[0], s * x + c * y + centre[1]], -1)
    return np.asarray(place - 0.5, np.float32)


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


def put_hints(
    scene: Scene,
    border: np.ndarray,
    rng: np.random.Generator,
    scale: float,
    *,
    recolor: bool,
) -> np.ndarray:
    """(H, W, 4) uint8 RGBA: dots and strokes in all, in some or in none of the areas' parts."""
    hints = np.zeros((*scene.ink.shape, 4), np.uint8)
    draw = rng.random()
    share = 1.0 if draw < 0.6 else 0.0 if draw < 0.7 else float(rng.uniform(0.2, 1.0))
    free = (~border & (scene.ink < _INK)).astype(np.uint8)
    count, part, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    depth = cv2.distanceTransform(np.pad(free, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    at = np.flatnonzero(part)
    inner = depth.ravel()[at]
    spread = 0.0 if rng.random() < 0.5 else float(rng.uniform(0, 1))
    order = np.argsort(inner * (1 - spread * rng.random(len(at))), kind="stable")
    middle = np.zeros(count, np.int64)
    middle[part.ravel()[at[order]]] = at[order]  # the deepest of each part comes last
    color = _recolored(scene.color, rng) if recolor else scene.color
    strokes = rng.random() < 0.2
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] < 12 or rng.random() > share:
            continue
        y, x = divmod(int(middle[number]), scene.ink.shape[1])
        radius = max(1, round(min(_DOT * scale, float(depth[y, x]))))
        mark = np.zeros(scene.ink.shape, np.uint8)
        cv2.circle(mark, (x, y), radius, 1, -1)
        if strokes:
            length = float(rng.uniform(1, 6)) * float(depth[y, x])
            angle = float(rng.uniform(0, 2 * np.pi))
            end = (round(x + length * np.cos(angle)), round(y + length * np.sin(angle)))
            cv2.line(mark, (x, y), end, 1, 2 * radius)
        hints[(mark > 0) & (part == number)] = (*color[scene.areas[y, x]].tolist(), 255)
    return hints


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
