"""Thin-plate splines: interpolating warps of pictures and of points.

Control points as in Cao et al. 2023 (section IV; numbers of the authors' release).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_ILL_CONDITIONED = 1e13
_SINGULAR = 1e-6  # keeps log(0) away, as the release does


class ThinPlateSpline:
    """Backward warps that bring ``source`` points (B, N, 2) to ``target`` points (B, N, 2).

    Points are x, y in the unit square; the picture drawn at ``target[i]`` is taken from
    ``source[i]``. Kernel d^2 log(d + 1e-6), exact interpolation. Raises ValueError when the target
    points do not determine a spline (fewer than 3, coinciding or all on one line).
    """

    def __init__(self, source: Tensor, target: Tensor) -> None:
        self._target = target.double()
        count = target.shape[1]
        corner = torch.cat((torch.ones_like(self._target[..., :1]), self._target), -1)
        system = torch.zeros(len(target), count + 3, count + 3, dtype=torch.float64)
        system[:, :count, :count] = _kernel(torch.cdist(self._target, self._target))
        system[:, :count, count:] = corner
        system[:, count:, :count] = corner.transpose(1, 2)
        right = torch.zeros(len(target), count + 3, 2, dtype=torch.float64)
        right[:, :count] = source.double() - self._target
        if bool((torch.linalg.cond(system) > _ILL_CONDITIONED).any()):
            raise ValueError("the control points do not determine a thin-plate spline")
        solution = torch.linalg.solve(system, right)
        self._weights, self._affine = solution[:, :count], solution[:, count:]

    def __call__(self, points: Tensor) -> Tensor:
        """Where output points (M, 2) or (B, M, 2) are taken from: (B, M, 2) in their precision."""
        if points.ndim == 2:
            points = points.expand(len(self._target), -1, -1)
        kind = points.dtype
        away = points[:, :, None] - self._target[:, None].to(kind)
        bend = _kernel(away.square().sum(-1).sqrt()) @ self._weights.to(kind)
        affine = self._affine.to(kind)
        moved: Tensor = points + affine[:, :1] + points @ affine[:, 1:] + bend
        return moved

    def sampling(self, height: int, width: int) -> Tensor:
        """(B, H, W, 2) float32 x, y in [-1, 1] for `warp` (align_corners False)."""
        rows, columns = torch.linspace(0, 1, height), torch.linspace(0, 1, width)
        grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1)
        taken = self(grid.reshape(-1, 2)).reshape(-1, height, width, 2)
        size = torch.tensor([width, height])
        return (2 * taken * (size - 1) + 1) / size - 1


def _kernel(distance: Tensor) -> Tensor:
    return distance.square() * torch.log(distance + _SINGULAR)


def warp(images: Tensor, sampling: Tensor) -> Tensor:
    """Bicubic samples of images (B, C, H, W) in [0, 1]; what lies outside is black."""
    sampled = functional.grid_sample(
        images, sampling, mode="bicubic", padding_mode="zeros", align_corners=False
    )
    return sampled.clamp(0, 1)


def paper_control_points(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Six (source, target) points, (1, 6, 2): corners stay, two points of the diagonal move.

    p ~ U(0.3, 0.7), shift r ~ U(-0.25, 0.25) along the diagonal, both rounded to two decimals;
    drawn again while the points coincide.
    """
    while True:
        start = np.round(rng.uniform(0.3, 0.7, 2), 2)
        end = start + np.round(rng.uniform(-0.25, 0.25, 2), 2)
        if start[0] != start[1] and abs(end[0] - end[1]) > 1e-9:
            break
    corners = [[0, 0], [1, 0], [0, 1], [1, 1]]
    source = np.array(corners + [[x, x] for x in start], np.float64)
    target = np.array(corners + [[x, x] for x in end], np.float64)
    return torch.from_numpy(source)[None], torch.from_numpy(target)[None]


def move_points(points: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Points (M, 2) carried along when ``source`` (N, 2) moves to ``target`` (N, 2)."""
    spline = ThinPlateSpline(torch.from_numpy(target)[None], torch.from_numpy(source)[None])
    return spline(torch.from_numpy(np.ascontiguousarray(points, np.float64)))[0].numpy()
