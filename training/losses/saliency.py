"""The salient loss of SMSANet and its offline source of saliency."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from backend.models.color import rgb_to_lab

SaliencyBackend = Callable[[Tensor], Tensor]
"""sRGB (B, 3, H, W) in [0, 1] -> saliency (B, 1, H, W) in [0, 1]."""

SPACES = ("ab", "rgb")
MASKS = ("own", "truth")


class SaliencyLoss:
    """Mean of |phi(x) x - phi(y) y|: colours compared where the picture is salient.

    Jiang et al., "Stacked Multi-Scale Attention Network" (2022), equation 6, with the L1 norm.
    phi is the map of ``backend`` at or above 0.5; it has no gradient. x and y are the normalised
    ab, or with ``space="rgb"`` the sRGB pictures. ``mask_prediction="truth"`` uses the truth's
    map for both. ``to_rgb(gray, ab)`` decodes to sRGB in [0, 1].

    Raises ValueError for an unknown space or mask.
    """

    def __init__(
        self,
        backend: SaliencyBackend,
        *,
        to_rgb: Callable[[Tensor, Tensor], Tensor],
        space: str = "ab",
        mask_prediction: str = "own",
    ) -> None:
        if space not in SPACES:
            raise ValueError(f"space is {space!r}; use one of {', '.join(SPACES)}")
        if mask_prediction not in MASKS:
            raise ValueError(f"mask_prediction is {mask_prediction!r}; use own or truth")
        self.backend = backend
        self.to_rgb = to_rgb
        self.space = space
        self.mask_prediction = mask_prediction

    def __call__(
        self,
        prediction_ab: Tensor,
        target_ab: Tensor,
        gray: Tensor,
        saliency: Tensor | None = None,
    ) -> Tensor:
        """ab (B, 2, H, W) and L (B, 1, H, W) in the model's units.

        ``saliency`` (B, 1, H, W) in [0, 1] is the map of the truth where it is known already.
        """
        prediction, target = prediction_ab, target_ab
        if self.space == "rgb":
            prediction, target = self.to_rgb(gray, prediction_ab), self.to_rgb(gray, target_ab)
        with torch.no_grad():
            if saliency is None:
                saliency = self.backend(self.to_rgb(gray, target_ab))
            of_target = (saliency >= 0.5).to(target.dtype)
            of_prediction = of_target
            if self.mask_prediction == "own":
                own = self.backend(self.to_rgb(gray, prediction_ab.detach()))
                of_prediction = (own >= 0.5).to(target.dtype)
        return functional.l1_loss(of_prediction * prediction, of_target * target)


class ClassicalSaliency:
    """Saliency without a trained network, binarised by Otsu's threshold.

    The frequency-tuned map (Achanta et al., 2009), which is the distance of the blurred Lab
    picture from its mean colour, weighed from once to twice by the spectral residual (Hou and
    Zhang, 2007) of the grey picture at 64 x 64; each map is stretched to [0, 1].
    """

    def __call__(self, rgb: Tensor) -> Tensor:
        """sRGB (B, 3, H, W) in [0, 1] -> mask (B, 1, H, W) of 0 and 1."""
        rgb = rgb.float()
        weight = 1 + _stretch(_spectral_residual(rgb))
        combined = weight * _stretch(_frequency_tuned(rgb)) / 2
        return (combined > otsu_threshold(combined)).to(rgb.dtype)


def otsu_threshold(values: Tensor, bins: int = 256) -> Tensor:
    """Otsu's threshold (1979) of each map (B, 1, H, W) in [0, 1], as (B, 1, 1, 1)."""
    cells = (values.flatten(1) * bins).long().clamp(0, bins - 1)
    counts = torch.zeros(values.shape[0], bins, dtype=torch.float64, device=values.device)
    counts.scatter_add_(1, cells, torch.ones_like(cells, dtype=torch.float64))
    centers = (torch.arange(bins, device=values.device, dtype=torch.float64) + 0.5) / bins
    below, mass = counts.cumsum(1), (counts * centers).cumsum(1)
    above = below[:, -1:] - below
    mean_below = mass / below.clamp(min=1)
    mean_above = (mass[:, -1:] - mass) / above.clamp(min=1)
    best = (below * above * (mean_below - mean_above).square()).argmax(1)
    return ((best + 1) / bins).to(values.dtype).view(-1, 1, 1, 1)


def _spectral_residual(rgb: Tensor) -> Tensor:
    gray = functional.interpolate(
        rgb.mean(1, keepdim=True), (64, 64), mode="bilinear", antialias=True, align_corners=False
    )
    spectrum = torch.fft.fft2(gray)
    logarithm = spectrum.abs().clamp(min=1e-8).log()
    around = functional.pad(logarithm, (1, 1, 1, 1), mode="replicate")
    residual = logarithm - functional.avg_pool2d(around, 3, stride=1)
    back = torch.fft.ifft2(torch.polar(residual.exp(), spectrum.angle())).abs().square()
    return functional.interpolate(
        _blur(back, 2.5), rgb.shape[-2:], mode="bilinear", align_corners=False
    )


def _frequency_tuned(rgb: Tensor) -> Tensor:
    lab = rgb_to_lab(rgb)
    distance = _blur(lab, 1.0) - lab.mean((2, 3), keepdim=True)
    magnitude: Tensor = distance.square().sum(1, keepdim=True).sqrt()
    return magnitude


def _blur(x: Tensor, sigma: float) -> Tensor:
    radius = round(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = functional.pad(x, (radius, radius, radius, radius), mode="replicate")
    x = functional.conv2d(x, kernel, groups=x.shape[1])
    return functional.conv2d(x, kernel.mT, groups=x.shape[1])


def _stretch(x: Tensor) -> Tensor:
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-8)
