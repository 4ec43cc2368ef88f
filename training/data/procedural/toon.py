"""Cartoon figures: people, animals and still lifes of 3 to about 30 closed shapes."""

from __future__ import annotations

import numpy as np

from training.data.picture import Picture

from .animal import add_animal
from .person import add_person
from .scene import Scene, paint_scene, random_paint
from .shapes import blob, ellipse, mirrored, smooth, straight

KINDS = ("person", "animal", "flowers")
_WEIGHTS = (0.6, 0.25, 0.15)


def toon(seed: int, size: int = 256, *, shade: bool = True) -> Picture:
    """One drawing, size x size: colour, exact line layer and region map."""
    rng = np.random.default_rng((seed, 101))
    return paint_scene(make_scene(rng), size, size, f"toon {seed}", shade=shade)


def make_scene(rng: np.random.Generator, plain: float = 0.4) -> Scene:
    """A figure before a background, which is white paper with probability ``plain``."""
    scene = Scene(
        ink_width=float(rng.uniform(1.0, 2.6)),
        light=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.03, -0.012))),
    )
    _background(scene, rng, rng.random() < plain)
    kind = rng.choice(len(KINDS), p=_WEIGHTS)
    (add_person, add_animal, _add_flowers)[kind](scene, rng)
    return scene


def _background(scene: Scene, rng: np.random.Generator, plain: bool) -> None:
    whole = straight([(-0.3, -0.3), (1.3, -0.3), (1.3, 1.3), (-0.3, 1.3)])
    scene.paints["paper"] = (255, 255, 255)
    if plain:
        scene.add(whole, "paper", outline=0, shaded=False)
        return
    scene.paints["sky"] = random_paint(rng, (0.75, 1.0), (0.1, 0.5))
    scene.paints["ground"] = random_paint(rng, (0.45, 0.85), (0.25, 0.7))
    scene.add(whole, "sky", outline=0, shaded=False)
    style = rng.integers(3)
    horizon = float(rng.uniform(0.55, 0.85))
    if style == 0:
        _hills(scene, rng, horizon)
    elif style == 1:
        _room(scene, rng, horizon)
    else:
        scene.paints["disc"] = random_paint(rng, (0.7, 1.0), (0.2, 0.7))
        scene.add(ellipse(0.5, 0.48, 0.42, 0.42), "disc", outline=0.8, shaded=False)


def _hills(scene: Scene, rng: np.random.Generator, horizon: float) -> None:
    xs = np.linspace(-0.3, 1.3, 7)
    ridge = [(float(x), horizon + float(rng.normal(0, 0.05))) for x in xs]
    scene.add(_closed_below(ridge), "ground", shaded=False)
    scene.paints["cloud"] = (250, 250, 252)
    for _ in range(int(rng.integers(1, 4))):
        x, y = float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.3))
        cloud = blob(rng, x, y, float(rng.uniform(0.08, 0.16)), 0.045, 0.3)
        scene.add(cloud, "cloud", group="cloud", outline=0.7, shaded=False)


def _closed_below(ridge: list[tuple[float, float]]) -> np.ndarray:
    curve = smooth(ridge, closed=False)
    return np.concatenate((curve, [[1.3, 1.4], [-0.3, 1.4]]))


def _room(scene: Scene, rng: np.random.Generator, horizon: float) -> None:
    floor = straight([(-0.3, horizon), (1.3, horizon), (1.3, 1.3), (-0.3, 1.3)])
    scene.add(floor, "ground", shaded=False)
    scene.paints["frame"] = random_paint(rng, (0.4, 0.8))
    scene.paints["glass"] = random_paint(rng, (0.8, 1.0), (0.1, 0.45))
    left, top = float(rng.choice((0.03, 0.68))), float(rng.uniform(0.05, 0.2))
    for margin, paint in ((0.0, "frame"), (0.025, "glass")):
        scene.add(
            straight(
                [
                    (left + margin, top + margin),
                    (left + 0.3 - margin, top + margin),
                    (left + 0.3 - margin, top + 0.34 - margin),
                    (left + margin, top + 0.34 - margin),
                ]
            ),
            paint,
            outline=0.8,
            shaded=False,
        )


def _add_flowers(scene: Scene, rng: np.random.Generator) -> None:
    """A vase of flowers: many small regions of few paints."""
    for paint in ("vase", "band", "petal", "petal2", "leaf"):
        scene.paints[paint] = random_paint(rng)
    scene.paints["heart"] = random_paint(rng, (0.7, 1.0), (0.5, 0.9))
    scene.pivots |= {"plant": (0.5, 0.7)}
    for index in range(int(rng.integers(3, 6))):
        x, y = 0.5 + float(rng.uniform(-0.3, 0.3)), float(rng.uniform(0.18, 0.45))
        stem = smooth(
            [(0.49, 0.75), ((0.5 + x) / 2, 0.5), (x - 0.008, y), (x + 0.008, y), (0.53, 0.75)]
        )
        scene.add(stem, "leaf", "plant", outline=0.8)
        leaf = smooth([(0.5, 0.66), (x, 0.5), (x + 0.07, 0.54), (0.53, 0.68)])
        scene.add(leaf, "leaf", "plant", outline=0.8)
        radius = float(rng.uniform(0.07, 0.12))
        petals = int(rng.integers(5, 9))
        for turn in 2 * np.pi * (np.arange(petals) + rng.random()) / petals:
            petal = ellipse(
                x + radius * np.cos(turn),
                y + radius * np.sin(turn),
                radius * 0.8,
                radius * 0.5,
                turn,
            )
            scene.add(petal, "petal" if index % 2 else "petal2", "plant", outline=0.8)
        scene.add(ellipse(x, y, radius * 0.55, radius * 0.55), "heart", "plant", outline=0.8)
    neck, belly = float(rng.uniform(0.07, 0.12)), float(rng.uniform(0.12, 0.2))
    half = [(0.5 + neck, 0.66), (0.5 + neck * 0.9, 0.72), (0.5 + belly, 0.85), (0.5 + 0.1, 0.97)]
    vase = smooth([*half, *mirrored(np.array(half))[::-1].tolist()])
    scene.add(vase, "vase", "vase")
    band = smooth(
        [
            (0.5 - belly * 0.93, 0.81),
            (0.5, 0.84),
            (0.5 + belly * 0.93, 0.81),
            (0.5 + belly, 0.86),
            (0.5, 0.895),
            (0.5 - belly, 0.86),
        ]
    )
    scene.add(band, "band", "vase", outline=0.8)
