"""Colour augmentation that needs no regions."""

from __future__ import annotations

import cv2
import numpy as np


def rotate_hue(color: np.ndarray, degrees: float) -> np.ndarray:
    """(H, W, 3) uint8 with its HSV hue turned, modulo 360; saturation and value stay."""
    if not degrees % 360:
        return color
    hsv = cv2.cvtColor(color.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + np.float32(degrees)) % 360
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).clip(0, 255).astype(np.uint8)


def shift_levels(color: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Each channel shifted by its own uniform amount of up to +-``amount`` (of 1)."""
    if not amount:
        return color
    shift = np.rint(rng.uniform(-amount, amount, 3) * 255).astype(np.int16)
    return np.clip(color.astype(np.int16) + shift, 0, 255).astype(np.uint8)


def color_jitter(color: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Hue turned and channels shifted at random; strength 0 changes nothing, 1 any hue.

    The channel shift is SCFT's noise (Lee et al. 2020, section 3.1): a colour that the reference
    shares with the truth cannot be learned by heart.
    """
    if strength <= 0:
        return color
    turned = rotate_hue(color, float(rng.uniform(-180, 180)) * min(strength, 1))
    return shift_levels(turned, 0.1 * strength, rng)
