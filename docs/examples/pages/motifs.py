"""Small paths that several pages use, drawn about the origin with radius 1."""

from __future__ import annotations

import numpy as np


def star(points: int = 5, waist: float = 0.45) -> str:
    """A pointed star standing on two of its tips."""
    angles = np.pi * (np.arange(2 * points) / points - 0.5)
    radii = np.where(np.arange(2 * points) % 2 == 0, 1, waist)
    pairs = zip(np.cos(angles) * radii, np.sin(angles) * radii, strict=True)
    return " ".join(f"{x:.3f},{y:.3f}!" for x, y in pairs)


def flower(petals: int = 5) -> str:
    """A flower head with round petals."""
    words = []
    for petal in range(petals):
        middle = 2 * np.pi * petal / petals - np.pi / 2
        half = np.pi / petals
        for offset, radius, mark in (
            (-half, 0.56, "!"),
            (-half * 0.5, 0.95, ""),
            (half * 0.5, 0.95, ""),
        ):
            angle = middle + offset
            words.append(f"{np.cos(angle) * radius:.3f},{np.sin(angle) * radius:.3f}{mark}")
    return " ".join(words)


CLOUD = "-1,.3! -1.12,.05 -.85,-.15 -.68,-.1! -.6,-.48 -.2,-.56 0,-.3! .2,-.5 .6,-.4 .62,-.08! .9,-.14 1.1,.1 1,.3!"
GULL = "-1,-.3 -.5,-.42 0,0! .5,-.42 1,-.3"
