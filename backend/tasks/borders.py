"""Where regions meet, as the border finder sees a drawing with its hints."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from backend.imaging.hints import Hints

from .completion import eight_bit

BESIDE_HINT = 6  # pixels at SIDE: a ring around a dot is no border, but the dot seen
SIDE = 512  # longest side of what the network is shown, so that no size changes the answer


def find_borders(
    network: Any, ink: np.ndarray, hints: Hints, *, backwards: bool = False
) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how likely each pixel is on a border of regions.

    network: a `BorderFinder`. ink: (h, w) uint8 cleaned ink. hints: at its size. backwards: their
    colours are in the order blue, green, red.
    """
    import torch

    height, width = ink.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    seen = np.zeros((5, size[1], size[0]), np.float32)
    seen[0] = small / np.float32(255)
    marks = hints.ids
    if scale > 1:
        marks = cv2.resize(marks.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    ys, xs = np.nonzero(marks)
    at = (ys * size[1] // marks.shape[0], xs * size[0] // marks.shape[1])  # so that none is lost
    rgb = eight_bit(hints.colours)[marks[ys, xs].astype(int) - 1] / np.float32(255)
    seen[1][at] = 1
    for channel, values in enumerate((rgb[:, ::-1] if backwards else rgb).T):
        seen[2 + channel][at] = values
    with torch.inference_mode():
        found = network(torch.from_numpy(seen)[None]).main.sigmoid()[0, 0].numpy()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BESIDE_HINT + 1,) * 2)
    found = np.where(cv2.dilate(seen[1], disc) > 0, 0, found)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR))
