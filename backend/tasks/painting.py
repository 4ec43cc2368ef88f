"""Networks that paint a whole picture: after a coloured one, or by its hints alone.

`aaldc` (Cao et al. 2023) and `video` (Shi et al. 2023) give each pixel a colour of its own. That is
soft and never quite a paint of the reference, so that each pixel votes for the paints it is near.
`manga` (Golyadkin and Makarov 2020) paints a page from its lines and hints.
Pictures are those of `network_picture`: (5, S, S) float32, ink, RGB and where it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.color import rgb_to_lab
from backend.imaging.distance import INK, distance_field

from .sources import View

SIDE = 128  # pixels of the square that these networks were trained with
WHOLE = 0.99  # of a pixel; where less of it is known, a hint ends
FAINT = 0.5 / 255  # ink below that is none
SPREAD = 10.0  # CIELAB; a paint this far from the painted colour is hardly meant


@dataclass(frozen=True)
class Painter:
    """A ``network`` that paints a drawing after coloured ones; others compare regions."""

    network: Any

    def paint(self, target: View, sources: Sequence[View]) -> np.ndarray:
        """(SIDE, SIDE, 3) float32 RGB in [0, 1]: the drawing painted after all the sources."""
        first, *others = sources
        pictures = [source.picture for source in sources]
        references = first.once((self.network, *others), lambda: encode(self.network, pictures))
        return paint(self.network, target.picture, references)


def painter_of(network: Any) -> Painter | None:
    """What paints with a network, or with a painter; None for one that compares regions."""
    if isinstance(network, Painter):
        return network
    return Painter(network) if hasattr(network, "encode_references") else None


def paints_pages(network: Any) -> bool:
    """Whether a network paints a drawing by its hints, or without any."""
    return hasattr(network, "encode_page")


def encode(network: Any, pictures: Sequence[np.ndarray]) -> Any:
    """What coloured drawings contribute to the colours of any other; can be kept."""
    import torch

    from backend.models.video import ColorTransformNet

    inputs = [_inputs(picture) for picture in pictures]
    with torch.inference_mode():
        if isinstance(network, ColorTransformNet):
            return network.encode_references(
                *(torch.stack(each, 1) for each in zip(*inputs, strict=True))
            )
        return [network.encode_references(color) for _, _, color in inputs]


def paint(network: Any, picture: np.ndarray, references: Any) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 RGB in [0, 1]: a drawing painted after what `encode` gave.

    A network that takes one reference paints once after each; that is the mean.
    """
    import torch

    from backend.models.video import ColorTransformNet

    line, distance, _ = _inputs(picture)
    with torch.inference_mode():
        if isinstance(network, ColorTransformNet):
            main = network.forward_with(line, distance, references).main
        else:
            mains = [network.forward_with(line, reference).main for reference in references]
            main = torch.stack(mains).mean(0)
    return to_picture(main)


def paint_page(network: Any, picture: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 RGB in [0, 1]: a drawing painted by what is known of its colours."""
    import torch

    ink, *rgb, known = _shrunk(picture)
    mask = (known >= WHOLE).astype(np.float32)
    hint = np.dstack([(np.dstack(rgb) * 2 - 1) * mask[..., None], mask])
    line = 1 - ink
    distance = distance_field(line < 1 - FAINT, signed=True, norm="minmax")
    with torch.inference_mode():
        main = network(*(_tensor(plane) for plane in (line, distance, hint))).main
    return to_picture(main)


def to_picture(main: Any) -> np.ndarray:
    """(h, w, 3) float32 RGB in [0, 1] of a network's (1, 3, h, w) in [-1, 1]."""
    return np.ascontiguousarray((main[0].permute(1, 2, 0).numpy() + 1) / 2)


def read_votes(
    painted: np.ndarray, label: np.ndarray, count: int, colors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the ``colors`` (P, 3) uint8 is meant where, each vote a share of 1.

    painted: (h, w, 3) RGB in [0, 1]. label: (S, S) int32, 0 = none, else 1 + region of ``count``.
    Returns (count, P) float32 by region, the mean of its pixels, and (S/2, S/2, P) float32.
    """
    half = np.ascontiguousarray(label[::2, ::2])
    if not len(colors):
        return np.zeros((count, 0), np.float32), np.zeros((*half.shape, 0), np.float32)
    size = (half.shape[1], half.shape[0])
    shown = rgb_to_lab(np.clip(cv2.resize(painted, size, interpolation=cv2.INTER_AREA), 0, 1))
    paints = rgb_to_lab(colors[None].astype(np.float32) / 255)[0]
    far = np.linalg.norm(shown[:, :, None] - paints, axis=-1)
    # the nearest paint has its share however far it is
    pixels = np.exp(-((far - far.min(-1, keepdims=True)) / SPREAD)).astype(np.float32)
    pixels /= pixels.sum(-1, keepdims=True)
    owner = half.ravel()
    regions = np.zeros((count + 1, len(colors)), np.float32)
    np.add.at(regions, owner, pixels.reshape(-1, len(colors)))
    amount = np.bincount(owner, minlength=count + 1)[:, None]
    return (regions / np.maximum(1, amount))[1:], pixels


def line_and_color(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(SIDE, SIDE) line and (SIDE, SIDE, 3) RGB under it, float32 in [0, 1], 1 = paper."""
    ink, *rgb, known = _shrunk(picture)
    # what nobody has coloured is paper, and lines lie over the colours
    line = 1 - ink
    return line, np.minimum(np.dstack(rgb) + (1 - known)[..., None], line[..., None])


def _inputs(picture: np.ndarray) -> tuple[Any, Any, Any]:
    """Line, distance field (1, 1, SIDE, SIDE) and colours (1, 3, SIDE, SIDE) in [-1, 1]."""
    line, color = line_and_color(picture)
    distance = distance_field(line <= INK)
    return _tensor(line * 2 - 1), _tensor(distance * 2 - 1), _tensor(color * 2 - 1)


def _shrunk(picture: np.ndarray) -> list[np.ndarray]:
    size = (SIDE, SIDE)
    return [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in picture]


def _tensor(values: np.ndarray) -> Any:
    """(1, C, h, w) of (h, w) or (h, w, C)."""
    import torch

    planes = np.atleast_3d(values).astype(np.float32).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None]
