"""Losses between pictures, pixel by pixel; means over every element of the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

KINDS = ("l1", "mse", "huber")


class PixelLoss:
    """Mean absolute error, mean square error, or Huber.

    ``huber`` is 0.5 d^2 / beta below ``beta`` and |d| - beta / 2 above: the loss of Zhang et al.,
    "Real-Time User-Guided Image Colorization" (2017), with delta 1 in raw ab units when ab is
    divided by 110 and beta is 1/110; mean over channels where they sum.

    Raises ValueError for an unknown kind or a beta that is not positive.
    """

    def __init__(self, kind: str = "l1", *, beta: float = 1 / 110) -> None:
        if kind not in KINDS:
            raise ValueError(f"the pixel loss is {kind!r}; use one of {', '.join(KINDS)}")
        if beta <= 0:
            raise ValueError(f"beta is {beta}; it has to be positive")
        self.kind = kind
        self.beta = beta

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        if self.kind == "l1":
            return functional.l1_loss(prediction, target)
        if self.kind == "mse":
            return functional.mse_loss(prediction, target)
        return functional.smooth_l1_loss(prediction, target, beta=self.beta)


class LatentReconstruction:
    """Sum over small pictures of their mean absolute distance to the target at their size.

    Shi et al., "Reference-Based Deep Line Art Video Colorization" (2023), latent loss: the
    pictures are read from the features after matching and after the middle; the target
    (B, 3, H, W) is average-pooled to them. A latent that is None (switched off) adds nothing.
    """

    def __call__(self, target: Tensor, *latents: Tensor | None) -> Tensor:
        terms = []
        for latent in latents:
            if latent is not None:
                height, width = latent.shape[-2:]
                pooled = functional.adaptive_avg_pool2d(target, (height, width))
                terms.append(functional.l1_loss(latent, pooled))
        return torch.stack(terms).sum() if terms else target.new_zeros(())


class WhitePenalty:
    """Punishes white where the truth is not white; pictures (B, 3, H, W) in [-1, 1].

    Golyadkin and Makarov, "Semi-automatic Manga Colorization" (2020), with g = (prediction+1)/2.
    ``mask=False`` is the printed formula, the mean over pixels of (sum_c g_c)^2. ``mask=True`` is
    the released one: pixels whose truth is above 0.85 in every channel are spared, and an image
    counts sum (sum_c g_c)^2 / (3 n + 1), n being the number of pixels that are not spared.
    """

    white_above = 0.85

    def __init__(self, *, mask: bool = True) -> None:
        self.mask = mask

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        brightness = ((prediction + 1) / 2).sum(1).square()
        if not self.mask:
            return brightness.mean()
        counted = (target <= self.white_above).any(1)
        sums = (brightness * counted).flatten(1).sum(1)
        return (sums / (3 * counted.flatten(1).sum(1) + 1)).mean()
