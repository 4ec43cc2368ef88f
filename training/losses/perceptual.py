"""Losses between the feature maps of two pictures.

Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (2016), section 3.2; the norms
(L1 or mean square) and the layers are the papers' own choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from training.features import FeatureExtractor

_DISTANCES = {"l1": functional.l1_loss, "mse": functional.mse_loss}


class PerceptualLoss:
    """Weighted sum over maps of the mean absolute (``l1``) or mean square (``mse``) difference.

    ``weights`` has one number for each map; None means 1 for every one.
    Raises ValueError for an unknown kind, and on a call with another number of maps.
    """

    def __init__(self, kind: str = "l1", weights: Sequence[float] | None = None) -> None:
        if kind not in _DISTANCES:
            raise ValueError(f"the perceptual loss is {kind!r}; use one of {', '.join(_DISTANCES)}")
        self.kind = kind
        self.weights = None if weights is None else tuple(weights)

    def __call__(self, generated: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
        weights = (1.0,) * len(target) if self.weights is None else self.weights
        if len(weights) != len(target):
            raise ValueError(f"{len(weights)} weights for {len(target)} feature maps")
        distance = _DISTANCES[self.kind]
        terms = [
            weight * distance(a.float(), b.float())
            for weight, a, b in zip(weights, generated, target, strict=True)
        ]
        return torch.stack(terms).sum()


class StyleLoss:
    """Sum over maps of the mean absolute difference of their Gram matrices.

    Gatys et al. (2016) with the division by C H W of Johnson et al., equation 3.
    """

    def __call__(self, generated: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
        terms = [
            functional.l1_loss(gram_matrix(a), gram_matrix(b))
            for a, b in zip(generated, target, strict=True)
        ]
        return torch.stack(terms).sum()


def gram_matrix(features: Tensor) -> Tensor:
    """F F^T / (C H W) of each map (B, C, H, W), as (B, C, C), in single precision."""
    _, channels, height, width = features.shape
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        return flat @ flat.mT / (channels * height * width)


class FeatureLosses:
    """Perceptual and style loss of pictures, with each picture seen by the network once.

    Pictures are (B, 3, H, W) or clips (B, T, 3, H, W), in [-1, 1]. The result holds the terms that
    are on, under ``perceptual`` and ``style``. No gradient enters the target.
    """

    def __init__(
        self,
        features: FeatureExtractor,
        *,
        perceptual: PerceptualLoss | None = None,
        style: StyleLoss | None = None,
    ) -> None:
        self.features = features
        losses = {"perceptual": perceptual, "style": style}
        self.losses = {name: loss for name, loss in losses.items() if loss is not None}

    def __call__(self, generated: Tensor, target: Tensor) -> dict[str, Tensor]:
        if generated.ndim == 5:
            generated, target = generated.flatten(0, 1), target.flatten(0, 1)
        with torch.no_grad():
            wanted = self.features(target)
        given = self.features(generated)
        return {name: loss(given, wanted) for name, loss in self.losses.items()}
