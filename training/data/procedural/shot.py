"""Moving drawings: affine and thin-plate motion of each group of shapes, films with hard cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.data.picture import Picture
from training.data.warp import move_points

from .scene import Move, Scene, paint_scene, random_paint
from .shapes import ellipse
from .toon import make_scene

_CORNERS = np.array([[-0.3, -0.3], [1.3, -0.3], [-0.3, 1.3], [1.3, 1.3]])
_KNOTS = np.array([[0.5, 0.2], [0.3, 0.55], [0.7, 0.55], [0.5, 0.9]])


@dataclass(frozen=True)
class Motion:
    """How a scene moves: sways of groups in radians and unit lengths, and a common soft bend."""

    sways: dict[str, np.ndarray]
    bend: np.ndarray
    drift: np.ndarray
    pace: float
    pivots: dict[str, tuple[float, float]]

    def at(self, time: float) -> Move:
        """The move of points of a group at a time in 0..1."""
        phase = 2 * np.pi * self.pace * time
        bent = _KNOTS + self.bend[:, :2] * np.sin(phase + self.bend[:, 2:])
        source = np.concatenate((_CORNERS, _KNOTS))
        target = np.concatenate((_CORNERS, bent))

        def move(points: np.ndarray, group: str) -> np.ndarray:
            if group == "still":
                return points
            if group in ("cloud", "prop"):
                return points + self.drift[0 if group == "cloud" else 1] * (time - 0.5)
            if group in self.sways:
                turn, dx, dy, start = self.sways[group]
                wave = np.sin(phase + start)
                points = _turned(points, self.pivots[group], turn * wave)
                points = points + np.array([dx, dy]) * wave
            return move_points(points, source, target)

        return move


def shot(
    seed: int, size: int = 256, frames: int = 12, *, occlusion: bool | None = None
) -> list[Picture]:
    """Frames of one moving scene, size x size, each with exact lines and regions.

    ``occlusion``: something passes in front; None lets the seed decide. Region numbers are per
    frame, paints identify what corresponds.
    """
    scene, motion = _prepare(seed, frames, occlusion)
    return shot_frames(scene, motion, range(frames), frames, size, f"shot {seed}")


def prepared(seed: int, frames: int, occlusion: bool | None = None) -> tuple[Scene, Motion]:
    """The scene and motion of a shot, of which single frames can be painted."""
    return _prepare(seed, frames, occlusion)


def shot_frames(
    scene: Scene, motion: Motion, wanted: Sequence[int], frames: int, size: int, name: str
) -> list[Picture]:
    """Some frames of a shot of ``frames`` frames."""
    return [
        paint_scene(
            scene, size, size, f"{name} frame {frame}", move=motion.at(frame / max(1, frames - 1))
        )
        for frame in wanted
    ]


def film(
    seed: int, size: int = 128, scenes: int = 3, shortest: int = 8, longest: int = 16
) -> tuple[list[Picture], list[int]]:
    """Several shots in a row and the frames with which each but the first begins (hard cuts)."""
    rng = np.random.default_rng((seed, 103))
    pictures: list[Picture] = []
    cuts = []
    for number in range(scenes):
        if pictures:
            cuts.append(len(pictures))
        length = int(rng.integers(shortest, longest + 1))
        pictures += shot(seed * 1009 + number, size, length)
    return pictures, cuts


def _prepare(seed: int, frames: int, occlusion: bool | None) -> tuple[Scene, Motion]:
    rng = np.random.default_rng((seed, 102))
    scene = make_scene(rng)
    if occlusion if occlusion is not None else rng.random() < 0.3:
        scene.paints["prop"] = random_paint(rng, (0.4, 1.0), (0.4, 0.9))
        scene.add(ellipse(0.5, float(rng.uniform(0.6, 0.85)), 0.1, 0.08), "prop", "prop")
    sways = {
        group: np.array(
            [
                rng.uniform(0.03, 0.16),
                rng.normal(0, 0.012),
                rng.normal(0, 0.012),
                rng.uniform(0, 6.3),
            ]
        )
        * (np.array([0.3, 1, 1, 1]) if group == "body" else 1)
        for group in scene.pivots
    }
    bend = np.concatenate((rng.normal(0, 0.014, (4, 2)), rng.uniform(0, 6.3, (4, 1))), 1)
    drift = np.array([[rng.uniform(-0.2, 0.2), 0.0], [rng.choice((-1, 1)) * 1.0, 0.0]])
    pace = float(rng.uniform(0.5, 1.2)) * max(1.0, frames / 16)
    return scene, Motion(sways, bend, drift, pace, scene.pivots)


def _turned(points: np.ndarray, pivot: tuple[float, float], angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    centre = np.array(pivot)
    return (points - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre
