"""sRGB and CIE Lab (D65, 2 degree observer), and the normalised Lab of the chroma networks.

The PyTorch twin, with gradients, is `backend.models.color`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
LUMA = np.array([0.2125, 0.7154, 0.0721], np.float32)  # Rec. 709
_TO_SCALED = (RGB_TO_XYZ / WHITE[:, None]).T.astype(np.float32)
_FROM_SCALED = np.linalg.inv((RGB_TO_XYZ / WHITE[:, None]).T).astype(np.float32)


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (..., 3) in [0, 1] -> Lab (..., 3) float32: L in [0, 100], a and b in about +-110."""
    rgb = np.asarray(rgb, np.float32)
    linear = np.where(
        rgb > 0.04045, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** np.float32(2.4), rgb / 12.92
    ).astype(np.float32)
    scaled = linear @ _TO_SCALED
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -1).astype(np.float32)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Lab (..., 3) -> sRGB (..., 3) float32 in [0, 1]; colours outside sRGB are clipped."""
    lab = np.asarray(lab, np.float32)
    y = (lab[..., 0] + 16) / 116
    root = np.stack((lab[..., 1] / 500 + y, y, np.maximum(y - lab[..., 2] / 200, 0)), -1)
    scaled = np.where(root > 0.2068966, root**3, (root - 16 / 116) / 7.787).astype(np.float32)
    linear = np.maximum(scaled @ _FROM_SCALED, 0)
    rgb = np.where(
        linear > 0.0031308, 1.055 * linear ** np.float32(1 / 2.4) - 0.055, 12.92 * linear
    )
    return np.clip(rgb, 0, 1).astype(np.float32)


def luma(rgb: np.ndarray) -> np.ndarray:
    """Grey (...) of RGB (..., 3) by the Rec. 709 weights, float32 in the range of the input."""
    return np.asarray(rgb, np.float32) @ LUMA


@dataclass(frozen=True)
class LabCodec:
    """Lab as networks see it: ((L - l_center) / l_scale, ab / ab_scale)."""

    l_center: float
    l_scale: float
    ab_scale: float

    def encode(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """sRGB (..., 3) in [0, 1] -> lightness (..., 1) and chroma (..., 2), normalised."""
        lab = rgb_to_lab(rgb)
        return (lab[..., :1] - self.l_center) / self.l_scale, lab[..., 1:] / self.ab_scale

    def decode(self, lightness: np.ndarray, chroma: np.ndarray) -> np.ndarray:
        """Normalised lightness (..., 1) and chroma (..., 2) -> sRGB (..., 3) in [0, 1]."""
        lab = np.concatenate(
            (lightness * self.l_scale + self.l_center, chroma * self.ab_scale), axis=-1
        )
        return lab_to_rgb(lab)


IBN = LabCodec(50, 50, 110)  # Gorriz Blanch et al. 2019, release: L/50 - 1, ab/110
ZHANG = LabCodec(50, 100, 110)  # Zhang et al. 2017: (L - 50)/100, ab/110
