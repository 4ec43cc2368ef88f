"""A half-length figure in the manner of animation: hair, head, eyes, clothes, accessory."""

from __future__ import annotations

import numpy as np

from .scene import Scene, random_paint
from .shapes import blob, ellipse, limb, mirrored, smooth, straight

SKINS = ((255, 226, 205), (247, 205, 176), (224, 172, 132), (176, 120, 84), (122, 80, 58))


def add_person(scene: Scene, rng: np.random.Generator) -> None:
    """Put a figure in front of what the scene holds."""
    natural = rng.random() < 0.8
    scene.paints |= {
        "skin": SKINS[rng.integers(len(SKINS))] if natural else random_paint(rng, (0.6, 1.0)),
        "hair": random_paint(rng, (0.25, 0.95), (0.1, 0.8)),
        "shirt": random_paint(rng),
        "coat": random_paint(rng, (0.3, 0.95)),
        "extra": random_paint(rng, (0.5, 1.0), (0.4, 0.9)),
        "iris": random_paint(rng, (0.3, 0.8), (0.4, 0.9)),
        "white": (252, 252, 252),
        "pupil": (30, 24, 34),
        "mouth": (196, 92, 96),
    }
    y = float(rng.uniform(0.36, 0.42))
    rx, ry = float(rng.uniform(0.15, 0.185)), float(rng.uniform(0.18, 0.215))
    scene.pivots |= {
        "head": (0.5, y + ry),
        "body": (0.5, 1.0),
        "left": (0.26, 0.74),
        "right": (0.74, 0.74),
    }
    _back_hair(scene, rng, y, rx, ry)
    _body(scene, rng, y + ry)
    _head(scene, rng, y, rx, ry)
    _fringe(scene, rng, y, rx, ry)
    _accessory(scene, rng, y, rx, ry)


def _back_hair(scene: Scene, rng: np.random.Generator, y: float, rx: float, ry: float) -> None:
    style = rng.integers(4)
    if style == 0:  # long
        low = float(rng.uniform(0.68, 0.92))
        half = [
            (0.5, y - ry * 1.2),
            (0.5 + rx * 1.2, y - ry * 0.5),
            (0.5 + rx * 1.35, y + 0.1),
            (0.5 + rx * 1.6, low),
            (0.5 + rx * 0.7, low + 0.03),
        ]
        both = [*half, *mirrored(np.array(half[1:]))[::-1].tolist()]
        scene.add(smooth(both), "hair", "head")
    elif style == 1:  # short
        scene.add(blob(rng, 0.5, y - 0.02, rx * 1.28, ry * 1.16, 0.08), "hair", "head")
    elif style == 2:  # twin tails
        tail = limb(
            (0.5 + rx, y - 0.08), (0.5 + rx * 2.1, y), (0.5 + rx * 1.9, y + 0.36), 0.06, 0.02
        )
        scene.add(tail, "hair", "right")
        scene.add(mirrored(tail), "hair", "left")
        scene.add(ellipse(0.5, y - 0.02, rx * 1.15, ry * 1.08), "hair", "head")
    else:  # tail to one side
        tail = limb(
            (0.56, y - ry), (0.5 + rx * 2.3, y - 0.05), (0.5 + rx * 1.8, y + 0.4), 0.07, 0.02
        )
        scene.add(tail, "hair", "right")
        scene.add(ellipse(0.5, y - 0.02, rx * 1.15, ry * 1.08), "hair", "head")


def _body(scene: Scene, rng: np.random.Generator, chin: float) -> None:
    shoulder = float(rng.uniform(0.23, 0.29))
    top = chin + 0.05
    for side in (1, -1):
        start = (0.5 + side * (shoulder - 0.05), top + 0.11)
        middle = (0.5 + side * (shoulder + float(rng.uniform(0.06, 0.13))), 0.86)
        arm = limb(start, middle, (0.5 + side * (shoulder + 0.02), 1.08), 0.07, 0.06)
        scene.add(arm, "coat", "right" if side > 0 else "left")
    half = [
        (0.56, top - 0.015),
        (0.5 + shoulder * 0.7, top + 0.025),
        (0.5 + shoulder, top + 0.09),
        (0.5 + shoulder - 0.04, 0.8),
        (0.5 + shoulder - 0.03, 1.15),
    ]
    scene.add(smooth([*half, *mirrored(np.array(half))[::-1].tolist()]), "coat", "body")
    if rng.random() < 0.75:
        deep = float(rng.uniform(0.12, 0.3))
        opening = straight([(0.42, top - 0.01), (0.58, top - 0.01), (0.5, top + deep)])
        scene.add(opening, "shirt", "body", strokes=(np.array([[0.5, top + deep], [0.5, 1.1]]),))
    neck = smooth(
        [
            (0.44, chin - 0.06),
            (0.56, chin - 0.06),
            (0.565, top + 0.01),
            (0.5, top + 0.045),
            (0.435, top + 0.01),
        ]
    )
    scene.add(neck, "skin", "body")
    if rng.random() < 0.4:
        scarf = smooth(
            [
                (0.38, top - 0.03),
                (0.5, top + 0.02),
                (0.62, top - 0.03),
                (0.63, top + 0.045),
                (0.5, top + 0.1),
                (0.37, top + 0.045),
            ]
        )
        scene.add(scarf, "extra", "body")


def _head(scene: Scene, rng: np.random.Generator, y: float, rx: float, ry: float) -> None:
    for side in (1, -1):
        scene.add(ellipse(0.5 + side * rx * 0.98, y + 0.02, 0.025, 0.04), "skin", "head")
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    narrow = 1 - float(rng.uniform(0.2, 0.38)) * np.maximum(0, np.sin(angle)) ** 2
    face = np.stack((0.5 + rx * np.cos(angle) * narrow, y + ry * np.sin(angle)), -1)
    nose = np.array([[0.5, y + ry * 0.3], [0.507, y + ry * 0.38], [0.498, y + ry * 0.4]])
    low, wide = y + ry * 0.66, float(rng.uniform(0.02, 0.045))
    open_mouth = rng.random() < 0.5
    closed = smooth([(0.5 - wide, low), (0.5, low + 0.012), (0.5 + wide, low)], closed=False)
    scene.add(face, "skin", "head", strokes=(nose,) if open_mouth else (nose, closed))
    _eyes(scene, rng, y, rx, ry)
    if open_mouth:
        mouth = smooth(
            [(0.5 - wide, low), (0.5, low + 0.006), (0.5 + wide, low), (0.5, low + wide)]
        )
        scene.add(mouth, "mouth", "head", outline=0.8, shaded=False)


def _eyes(scene: Scene, rng: np.random.Generator, y: float, rx: float, ry: float) -> None:
    apart, high = rx * float(rng.uniform(0.42, 0.5)), float(rng.uniform(0.028, 0.05))
    wide = high * float(rng.uniform(0.7, 1.0))
    level = y + ry * float(rng.uniform(0.05, 0.15))
    look = float(rng.uniform(-0.008, 0.008))
    for side in (1, -1):
        x = 0.5 + side * apart
        brow = smooth(
            [(x - wide, level - high * 1.7), (x, level - high * 2), (x + wide, level - high * 1.7)],
            closed=False,
        )
        scene.add(ellipse(x, level, wide, high), "white", "head", shaded=False, strokes=(brow,))
        iris = ellipse(x + look, level + 0.004, wide * 0.62, high * 0.75)
        scene.add(iris, "iris", "head", outline=0.7, shaded=False)
        pupil = ellipse(x + look, level + 0.006, wide * 0.28, high * 0.38)
        scene.add(pupil, "pupil", "head", outline=0.6, shaded=False)


def _fringe(scene: Scene, rng: np.random.Generator, y: float, rx: float, ry: float) -> None:
    angle = np.linspace(np.pi * 1.02, np.pi * 1.98, 14)
    top = np.stack((0.5 + rx * 1.16 * np.cos(angle), y + ry * 1.12 * np.sin(angle)), -1)
    spikes = int(rng.integers(3, 7))
    xs = np.linspace(0.5 + rx * 1.1, 0.5 - rx * 1.1, 2 * spikes + 1)
    edge = []
    for index, x in enumerate(xs):
        outer = abs(x - 0.5) / rx
        tip = y + ry * (float(rng.uniform(-0.3, 0.0)) + 0.45 * max(0.0, outer - 0.6))
        root = y - ry * float(rng.uniform(0.45, 0.62)) + 0.05 * outer
        edge.append((float(x), tip if index % 2 == 0 else root))
    outline = np.concatenate((top, np.array(edge)))
    strands = tuple(
        np.array([[x, y - ry * 0.95], [x + float(rng.normal(0, 0.02)), y - ry * 0.65]])
        for x in rng.uniform(0.5 - rx * 0.6, 0.5 + rx * 0.6, int(rng.integers(0, 4)))
    )
    scene.add(outline, "hair", "head", strokes=strands)


def _accessory(scene: Scene, rng: np.random.Generator, y: float, rx: float, ry: float) -> None:
    style = rng.integers(5)
    if style == 0:  # hat
        crown = smooth(
            [
                (0.5 - rx, y - ry * 0.75),
                (0.5 - rx * 0.8, y - ry * 1.6),
                (0.5 + rx * 0.8, y - ry * 1.6),
                (0.5 + rx, y - ry * 0.75),
            ]
        )
        scene.add(crown, "extra", "head")
        scene.add(ellipse(0.5, y - ry * 0.72, rx * 1.6, 0.03), "coat", "head")
    elif style == 1:  # bow
        x, top = 0.5 + rx * 0.75, y - ry * 0.95
        for side in (1, -1):
            wing = smooth([(x, top), (x + side * 0.1, top - 0.06), (x + side * 0.1, top + 0.05)])
            scene.add(wing, "extra", "head")
        scene.add(ellipse(x, top, 0.02, 0.022), "extra", "head")
    elif style == 2:  # band
        angle = np.linspace(np.pi * 1.1, np.pi * 1.9, 12)
        arc = np.stack((np.cos(angle) * rx, np.sin(angle) * ry), -1)
        band = np.concatenate((arc * 1.2, (arc * 1.02)[::-1])) + np.array([0.5, y])
        scene.add(band, "extra", "head")
    elif style == 3:  # ears of an animal
        ear = smooth(
            [
                (0.5 + rx * 0.4, y - ry * 0.95),
                (0.5 + rx * 1.0, y - ry * 1.55),
                (0.5 + rx * 1.1, y - ry * 0.6),
            ]
        )
        scene.add(ear, "extra", "head")
        scene.add(mirrored(ear), "extra", "head")
