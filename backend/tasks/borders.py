"""Where regions meet, as the border finder sees a drawing with its hints."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from backend.imaging.hints import Hints, eight_bit
from backend.regions.borders import Borders

CORE = 0.5  # of a mark's half width is what the network is shown
THICKEST = 2.5  # pixels at SIDE: ... and half as wide at most
SIDE = 512  # longest side of what the network is shown, so that no size changes the answer


def find_borders(
    network: Any, ink: np.ndarray, hints: Hints, *, backwards: bool = False
) -> Borders:
    """At the size (h, w) of the ink, where regions meet and what belongs together.

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
    cores = hint_cores(hints)
    marks = np.where(cores, hints.ids, 0)
    if scale > 1:
        marks = cv2.resize(marks.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    ys, xs = np.nonzero(marks)
    at = (ys * size[1] // marks.shape[0], xs * size[0] // marks.shape[1])  # so that none is lost
    rgb = eight_bit(hints.colours)[marks[ys, xs].astype(int) - 1] / np.float32(255)
    seen[1][at] = 1
    for channel, values in enumerate((rgb[:, ::-1] if backwards else rgb).T):
        seen[2 + channel][at] = values
    with torch.inference_mode():
        found = network(torch.from_numpy(seen)[None])
        likely = found.main.sigmoid()[0, 0].numpy()
        embedding = found.embedding[0].permute(1, 2, 0).contiguous().numpy()
    likely = cv2.resize(likely, (width, height), interpolation=cv2.INTER_LINEAR)
    embedding = cv2.resize(embedding, (width, height), interpolation=cv2.INTER_LINEAR)
    return Borders(np.where(hints.ids > 0, np.float32(0), likely), embedding, cores)


def hint_cores(hints: Hints) -> np.ndarray:
    """(H, W) bool: the innermost of every mark.

    A mark may fill a narrow area from end to end, and its own end must not be taken for a border.
    """
    inside = cv2.distanceTransform((np.pad(hints.ids, 1) > 0).astype(np.uint8), cv2.DIST_L2, 5)
    inside = inside[1:-1, 1:-1]
    deepest = np.zeros(len(hints.colour_of_blot), np.float32)
    np.maximum.at(deepest, hints.blots.ravel(), inside.ravel())
    thin = np.minimum(CORE * deepest, THICKEST / SIDE * max(hints.ids.shape))
    return (inside > 0) & (inside >= (deepest - thin)[hints.blots])
