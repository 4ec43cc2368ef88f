"""Frames of clips: which are references, and what the transform network makes of the others.

A clip batch holds ``line`` and ``distance`` (B, T, 1, H, W) and ``color`` (B, T, 3, H, W).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.engine import Batch

References = tuple[Tensor, Tensor, Tensor]


def reference_positions(frames: int, count: int, kind: str = "ends") -> list[int]:
    """Frames that serve as references.

    "ends": the first and the last, more at equal spacing, one alone is the first. "first": the
    first frame ``count`` times.
    """
    if kind == "first" or count == 1:
        return [0] * count
    return [round(index * (frames - 1) / (count - 1)) for index in range(count)]


def free_frames(frames: int, positions: Sequence[int]) -> list[int]:
    """Inner frames that are no reference: those to colour."""
    return [frame for frame in range(1, frames - 1) if frame not in positions]


def references_at(batch: Batch, positions: Sequence[int]) -> References:
    """Lines, distance fields and colours of the references, (B, K, 1 or 3, H, W)."""
    index = list(positions)
    return batch["line"][:, index], batch["distance"][:, index], batch["color"][:, index]


def take(clip: Tensor, frame: Tensor) -> Tensor:
    """One frame of each clip: (B, T, C, H, W) by (B) -> (B, C, H, W)."""
    return clip[torch.arange(clip.shape[0], device=clip.device), frame]


def colour_frames(transform: nn.Module, batch: Batch, positions: Sequence[int]) -> Tensor:
    """Colours of a whole clip (B, T, 3, H, W): references as they are, other frames made.

    References are encoded once for the clip.
    """
    references = transform.encode_references(*references_at(batch, positions))  # type: ignore[operator]
    frames = []
    for index in range(batch["line"].shape[1]):
        if index in positions:
            frames.append(batch["color"][:, index])
            continue
        output = transform.forward_with(  # type: ignore[operator]
            batch["line"][:, index], batch["distance"][:, index], references
        )
        frames.append(output.main.to(batch["color"].dtype))
    return torch.stack(frames, 1)


def windows(frames: int, size: int = 32, overlap: int = 8) -> list[tuple[int, int]]:
    """(start, stop) of the windows in which a long shot is refined [7]."""
    if frames <= size:
        return [(0, frames)]
    starts = list(range(0, frames - size, size - overlap))
    return [(start, start + size) for start in (*starts, frames - size)]


def rotate_hue(rgb: Tensor, degrees: float) -> Tensor:
    """Turn the HSV hue of pictures (..., 3, H, W) in [0, 1], keeping saturation and value."""
    if not degrees % 360:
        return rgb
    high, low = rgb.amax(-3), rgb.amin(-3)
    chroma = high - low
    red, green, blue = rgb.unbind(-3)
    safe = chroma.clamp(min=1e-12)
    sector = torch.where(
        high == red,
        (green - blue) / safe % 6,
        torch.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    sector = sector + degrees / 60
    channels = []
    for offset in (5, 3, 1):  # red, green, blue: f(n) = V - C max(0, min(k, 4 - k, 1))
        k = (offset + sector) % 6
        channels.append(high - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, -3)


def refine_clip(
    refiner: nn.Module, line: Tensor, coloured: Tensor, positions: Sequence[int]
) -> Tensor:
    """Refined colours of a shot (B, T, 3, H, W); overlaps of windows are averaged.

    ``positions``: the references among its frames, in ascending order.
    """
    total = torch.zeros_like(coloured)
    counts = torch.zeros(coloured.shape[1], device=coloured.device)
    last = coloured.shape[1] - 1
    for start, stop in windows(coloured.shape[1]):
        # the first and the last reference stand at the ends of every window
        ends = positions[0], positions[-1]
        whole = not start and stop > last
        index = list(range(stop)) if whole else [ends[0], *range(start, stop), ends[1]]
        clip = torch.cat((line[:, index], coloured[:, index]), 2)
        refined = refiner(clip).main.to(total.dtype)
        inner = refined if len(index) == stop - start else refined[:, 1:-1]
        total[:, start:stop] += inner
        counts[start:stop] += 1
    return total / counts.view(1, -1, 1, 1, 1)
