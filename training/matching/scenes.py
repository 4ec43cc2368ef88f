"""Drawings that the border finder learns from: prepared, moved, put over one another, made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.lines import clean_ink, darkness, ink_mask
from backend.regions.colored import find_painted_areas
from backend.regions.refine import spread_under_ink
from training.data.procedural.shapes import blob

from .drawings import made_once

STORED = 512  # longest side of a stored drawing
_SHIFT = 4  # fractional bits of OpenCV's coordinates


@dataclass(frozen=True)
class Scene:
    """ink: (H, W) uint8, 255 = ink. areas: (H, W) int32 from 1, every pixel has one.

    color: (n + 1, 3) uint8 by area. ground: the area around the figures, 0 = none.
    """

    ink: np.ndarray
    areas: np.ndarray
    color: np.ndarray
    ground: int


def prepare_scene(line: Path, color: Path, cache: Path) -> Scene:
    """A drawing at most STORED pixels a side, or its copy from the ``cache`` folder."""
    found = made_once(line, color, cache, ".scene", _read)
    return Scene(found["ink"], found["areas"], found["color"], int(found["ground"]))


def _read(line: np.ndarray, color: np.ndarray) -> Scene:
    ink = clean_ink(darkness(line))
    found = find_painted_areas(color, ink_mask(ink))
    areas = spread_under_ink(found.label.copy())
    scale = min(1.0, STORED / max(ink.shape))
    if scale < 1:
        size = (round(ink.shape[1] * scale), round(ink.shape[0] * scale))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
        areas = _nearest(areas, size)
    paints = np.concatenate([[[255, 255, 255]], found.palette[found.paint[1:]]]).astype(np.uint8)
    border = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    contact = np.bincount(border)
    ground = int(contact.argmax()) if contact.max() > 0.4 * len(border) else 0
    return Scene(ink, areas, paints, ground)


def _nearest(areas: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(areas.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.int32)


def look(scene: Scene, place: np.ndarray) -> Scene:
    """The scene at places (h, w, 2) float32 x, y; paper beyond its ends."""
    x, y = place[..., 0], place[..., 1]
    ink = cv2.remap(scene.ink, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    seen = cv2.remap(
        scene.areas.astype(np.float32),
        x,
        y,
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=scene.ground,
    )
    return Scene(np.asarray(ink), np.asarray(seen, np.int32), scene.color, scene.ground)


def put_over(below: Scene, above: Scene) -> Scene:
    """Two scenes of one size: the figure of the second in front of the first."""
    figure = above.areas != above.ground
    near = cv2.dilate(figure.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    front = figure | (near & (above.ink > 128))
    first = len(below.color)
    areas = np.where(figure, above.areas + first - 1, below.areas)
    ink = np.where(front, above.ink, below.ink)
    return Scene(ink, areas, np.concatenate([below.color, above.color[1:]]), below.ground)


def shapes(rng: np.random.Generator, side: int) -> Scene:
    """Round shapes in front of each other, each with its outline; some with an unlined shade."""
    ink = np.zeros((side, side), np.uint8)
    areas = np.ones((side, side), np.int32)
    color = [np.array([255, 255, 255]), np.array([255, 255, 255])]
    width = max(1, round(float(rng.uniform(0.003, 0.008)) * side))
    for _ in range(int(rng.integers(3, 22))):
        radius = float(np.exp(rng.uniform(np.log(0.03), np.log(0.3))))
        flat = float(rng.uniform(0.6, 1.0))
        x, y = rng.uniform(0.0, 1.0, 2)
        outline = blob(rng, float(x), float(y), radius, radius * flat, float(rng.uniform(0, 0.4)))
        points = [np.rint(outline * side * 2**_SHIFT).astype(np.int32)]
        color.append(rng.integers(0, 256, 3))
        inside = np.zeros_like(ink)
        cv2.fillPoly(inside, points, 1, cv2.LINE_8, _SHIFT)
        areas[inside > 0], ink[inside > 0] = len(color) - 1, 0
        if rng.random() < 0.2:
            move = rng.normal(0, 0.35 * radius * side, 2).astype(int)
            shade = (np.roll(inside, move, (0, 1)) == 0) & (inside > 0)
            color.append(color[-1] * 0.75)
            areas[shade] = len(color) - 1
        cv2.polylines(ink, points, True, 255, width, cv2.LINE_AA, _SHIFT)
    return Scene(ink, areas, np.array(color, np.uint8), 1)
