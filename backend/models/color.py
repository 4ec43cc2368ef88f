"""CIE Lab (D65, 2 degrees) for tensors, differentiable everywhere in and out of the gamut.

The constants are scikit-image's; `backend.imaging.color` has the same for arrays. Half precision
is not enough for Lab: such tensors are computed with, and returned, in float32, under autocast too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
WHITE = (0.95047, 1.0, 1.08883)
# the gradient of a power is infinite at 0, and infinite times 0 is no number
GUARD = 1e-8


def _mix(image: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("ij,bj...->bi...", matrix, image)


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(XYZ_FROM_RGB, dtype=torch.float64, device=like.device)


def _white(like: Tensor) -> Tensor:
    return torch.tensor(WHITE, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)


def _check(image: Tensor) -> None:
    if image.dim() != 4 or image.shape[1] != 3:
        raise ValueError(f"a picture has the shape (B, 3, H, W), not {tuple(image.shape)}")


def _in_full(image: Tensor) -> Tensor:
    return image.float() if image.dtype in (torch.bfloat16, torch.float16) else image


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Lab of sRGB (B, 3, H, W) in [0, 1]: L in 0..100, a and b about -108..98."""
    _check(rgb)
    with torch.autocast(rgb.device.type, enabled=False):
        return _to_lab(_in_full(rgb))


def _to_lab(rgb: Tensor) -> Tensor:
    linear = torch.where(
        rgb > 0.04045, ((rgb + 0.055) / 1.055).clamp_min(GUARD) ** 2.4, rgb / 12.92
    )
    xyz = _mix(linear, _matrix(rgb).to(rgb.dtype)) / _white(rgb)
    root = torch.where(xyz > 0.008856, xyz.clamp_min(GUARD) ** (1 / 3), 7.787 * xyz + 16.0 / 116.0)
    x, y, z = root.unbind(1)
    return torch.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], 1)


def lab_to_rgb(lab: Tensor, clip: bool = True) -> Tensor:
    """sRGB of Lab (B, 3, H, W), clipped to [0, 1] unless ``clip`` is false."""
    _check(lab)
    with torch.autocast(lab.device.type, enabled=False):
        rgb = _to_rgb(_in_full(lab))
    return rgb.clamp(0.0, 1.0) if clip else rgb


def _to_rgb(lab: Tensor) -> Tensor:
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16.0) / 116.0
    root = torch.stack([y + a / 500.0, y, (y - b / 200.0).clamp_min(0.0)], 1)
    xyz = torch.where(root > 0.2068966, root**3, (root - 16.0 / 116.0) / 7.787) * _white(lab)
    linear = _mix(xyz, torch.linalg.inv(_matrix(lab)).to(lab.dtype)).clamp_min(0.0)
    return torch.where(
        linear > 0.0031308,
        1.055 * linear.clamp_min(GUARD) ** (1 / 2.4) - 0.055,
        12.92 * linear,
    )


@dataclass(frozen=True)
class LabCodec:
    """What a network sees of Lab: (L - l_center) / l_scale and (a, b) / ab_scale."""

    l_center: float
    l_scale: float
    ab_scale: float

    @classmethod
    def named(cls, name: str) -> LabCodec:
        """``"ibn"``: L in [-1, 1] (IBN-GAN). ``"zhang"``: L in [-0.5, 0.5] (SMSANet)."""
        if name not in CODECS:
            raise ValueError(f"Lab codec {name!r} is unknown: use one of {', '.join(CODECS)}")
        return CODECS[name]

    def encode(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """sRGB (B, 3, H, W) in [0, 1] to L (B, 1, H, W) and ab (B, 2, H, W), normalised."""
        lab = rgb_to_lab(rgb)
        return (lab[:, :1] - self.l_center) / self.l_scale, lab[:, 1:] / self.ab_scale

    def decode(self, gray: Tensor, ab: Tensor) -> Tensor:
        """sRGB in [0, 1] of normalised L and ab; colours outside sRGB are clipped."""
        lightness = _in_full(gray) * self.l_scale + self.l_center
        return lab_to_rgb(torch.cat([lightness, _in_full(ab) * self.ab_scale], 1))


CODECS = {"ibn": LabCodec(50.0, 50.0, 110.0), "zhang": LabCodec(50.0, 100.0, 110.0)}
