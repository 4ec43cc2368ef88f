"""A four-legged or round creature seen from the front or the side."""

from __future__ import annotations

import numpy as np

from .scene import Scene, random_paint
from .shapes import blob, ellipse, limb, mirrored, smooth


def add_animal(scene: Scene, rng: np.random.Generator) -> None:
    """Put a creature in front of what the scene holds."""
    scene.paints |= {
        "fur": random_paint(rng, (0.4, 0.95)),
        "belly": random_paint(rng, (0.75, 1.0), (0.05, 0.4)),
        "spot": random_paint(rng, (0.3, 0.8)),
        "nose": random_paint(rng, (0.2, 0.6)),
        "collar": random_paint(rng, (0.5, 1.0), (0.5, 0.9)),
        "white": (252, 252, 252),
        "pupil": (30, 24, 34),
    }
    x, y = 0.47, float(rng.uniform(0.34, 0.4))
    head, tall = float(rng.uniform(0.17, 0.22)), float(rng.uniform(0.17, 0.2))
    scene.pivots |= {
        "head": (x, y + tall),
        "body": (0.5, 0.95),
        "left": (0.36, 0.8),
        "right": (0.66, 0.8),
    }
    bend = float(rng.uniform(-0.05, 0.12))
    tail = limb((0.66, 0.82), (0.88, 0.78 + bend), (0.86, 0.52 + bend), 0.045, 0.03)
    scene.add(tail, "fur", "right")
    scene.add(blob(rng, 0.5, 0.74, 0.23, 0.22, 0.06), "fur", "body")
    scene.add(ellipse(0.49, 0.78, 0.13, 0.15), "belly", "body", outline=0.8)
    for side in (1, -1):
        foot = smooth(
            [
                (0.5 + side * 0.06, 0.9),
                (0.5 + side * 0.12, 0.86),
                (0.5 + side * 0.2, 0.92),
                (0.5 + side * 0.17, 0.97),
                (0.5 + side * 0.05, 0.97),
            ]
        )
        scene.add(foot, "fur", "body")
    _ears(scene, rng, x, y, head, tall)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cheeks = 1 + float(rng.uniform(0, 0.18)) * np.maximum(0, np.sin(angle))
    face = np.stack((x + head * cheeks * np.cos(angle), y + tall * np.sin(angle)), -1)
    scene.add(face, "fur", "head")
    if rng.random() < 0.5:
        scene.add(ellipse(x + head * 0.4, y - 0.02, 0.07, 0.08), "spot", "head", outline=0.7)
    scene.add(ellipse(x, y + tall * 0.45, head * 0.5, tall * 0.4), "belly", "head", outline=0.8)
    apart, eye = head * 0.42, float(rng.uniform(0.03, 0.045))
    for side in (1, -1):
        centre = x + side * apart
        scene.add(ellipse(centre, y - 0.01, eye * 0.85, eye), "white", "head", shaded=False)
        pupil = ellipse(centre + 0.006, y, eye * 0.4, eye * 0.6)
        scene.add(pupil, "pupil", "head", outline=0.6, shaded=False)
    mouth = smooth(
        [
            (x - 0.05, y + tall * 0.55),
            (x - 0.02, y + tall * 0.64),
            (x, y + tall * 0.5),
            (x + 0.02, y + tall * 0.64),
            (x + 0.05, y + tall * 0.55),
        ],
        closed=False,
    )
    nose = ellipse(x, y + tall * 0.3, 0.03, 0.022)
    scene.add(nose, "nose", "head", shaded=False, strokes=(mouth,))
    if rng.random() < 0.5:
        band = smooth(
            [
                (x - 0.14, y + tall * 0.92),
                (x, y + tall * 1.1),
                (x + 0.14, y + tall * 0.92),
                (x + 0.14, y + tall * 1.08),
                (x, y + tall * 1.28),
                (x - 0.14, y + tall * 1.08),
            ]
        )
        scene.add(band, "collar", "head")


def _ears(
    scene: Scene, rng: np.random.Generator, x: float, y: float, head: float, tall: float
) -> None:
    style = rng.integers(3)
    if style == 0:  # pointed
        ear = smooth(
            [
                (x + head * 0.3, y - tall * 0.8),
                (x + head * 0.95, y - tall * 1.5),
                (x + head * 1.0, y - tall * 0.4),
            ]
        )
    elif style == 1:  # round
        ear = ellipse(x + head * 0.8, y - tall * 0.8, 0.08, 0.08)
    else:  # long
        ear = limb(
            (x + head * 0.45, y - tall * 0.7),
            (x + head * 0.8, y - tall * 1.3),
            (x + head * 0.7, y - tall * 1.75),
            0.045,
            0.03,
        )
    scene.add(ear, "fur", "head")
    scene.add(mirrored(ear, x), "fur", "head")
    centre = ear.mean(0)
    inner = centre + (ear - centre) * 0.55
    scene.add(inner, "belly", "head", outline=0.7)
    scene.add(mirrored(inner, x), "belly", "head", outline=0.7)
