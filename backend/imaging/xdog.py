"""Extended difference of Gaussians: line drawings from pictures, in three forms that circulate.

With I the grey picture, G_s a Gaussian and I_s = G_s * I:

- ``branch_swapped`` (Golyadkin and Makarov 2020; Tag2Pix): D = I_sigma - tau I_(ratio sigma);
  T = 1 where D < eps, else 1 + tanh(phi D). Solid blacks stay black.
- ``textbook`` (Winnemoeller 2011): T = 1 where D >= eps, else 1 + tanh(phi (D - eps)). Every flat
  area turns white, outlines alone stay.
- ``sharpened`` (release of Cao et al. 2023): S = (1 + p) I_sigma - p I_(ratio sigma), D = I S;
  T as in the textbook form, p being ``sharpness``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

Form = Literal["branch_swapped", "textbook", "sharpened"]
FORMS = ("branch_swapped", "textbook", "sharpened")
_WHITE = {"branch_swapped": 2.0, "textbook": 1.0, "sharpened": 1.0}


def xdog(
    gray: np.ndarray,
    form: Form = "branch_swapped",
    *,
    sigma: float = 0.5,
    ratio: float = 4.0,
    tau: float = 0.95,
    phi: float = 90.0,
    eps: float = 0.0,
    sharpness: float = 19.0,
    binarize: bool = True,
) -> np.ndarray:
    """Line drawing (H, W) float32 in [0, 1], 1 = paper, of gray (H, W) in [0, 1].

    ``ratio`` is the larger sigma over the smaller. T is stretched to 0..1 and, with ``binarize``,
    cut at Otsu's threshold; a picture without any contrast gives paper, or ink where T says so.
    Raises ValueError for another form.
    """
    check_form(form)
    gray = np.ascontiguousarray(gray, np.float32)
    near, far = gaussian(gray, sigma), gaussian(gray, sigma * ratio)
    if form == "sharpened":
        response = gray * ((1 + sharpness) * near - sharpness * far)
    else:
        response = near - tau * far
    if form == "branch_swapped":
        tone = np.where(response < eps, 1, 1 + np.tanh(phi * response))
    else:
        tone = np.where(response >= eps, 1, 1 + np.tanh(phi * (response - eps)))
    tone = tone.astype(np.float32)
    low, high = float(tone.min()), float(tone.max())
    if high - low < 1e-6:
        flat = np.float32(high - (_WHITE[form] - 1) >= 0.5)
        return np.full(gray.shape, flat, np.float32)
    stretched = (tone - low) / (high - low)
    if not binarize:
        return stretched
    return (stretched >= otsu(stretched)).astype(np.float32)


def check_form(form: str) -> None:
    """Raise ValueError for a form that there is not."""
    if form not in FORMS:
        raise ValueError(f"there is no XDoG form {form!r}; use one of {', '.join(FORMS)}")


def gaussian(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, cut off at 4 sigma, mirrored at the border (edge pixels repeated)."""
    if sigma <= 0:
        return picture
    size = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(
        picture, (size, size), sigmaX=sigma, sigmaY=sigma, borderType=cv2.BORDER_REFLECT
    )


def otsu(picture: np.ndarray, bins: int = 256) -> float:
    """Otsu's threshold of values in [0, 1]: what is at least this belongs to the upper class."""
    counts = np.histogram(picture, bins, (0, 1))[0].astype(np.float64)
    centres = (np.arange(bins) + 0.5) / bins
    below, mass = np.cumsum(counts), np.cumsum(counts * centres)
    above = below[-1] - below
    valid = (below > 0) & (above > 0)
    if not valid.any():
        return 0.5
    spread = np.zeros(bins)
    spread[valid] = (
        below[valid]
        * above[valid]
        * (mass[valid] / below[valid] - (mass[-1] - mass[valid]) / above[valid]) ** 2
    )
    best = np.flatnonzero(spread == spread.max())
    return float(best.mean() + 1) / bins  # the middle of a plateau, where nothing lies between


@dataclass(frozen=True)
class XDoG:
    """The parameters of `xdog` as a value; call it with gray (H, W) in [0, 1].

    Raises ValueError for another form.
    """

    form: Form = "branch_swapped"
    sigma: float = 0.5
    ratio: float = 4.0
    tau: float = 0.95
    phi: float = 90.0
    eps: float = 0.0
    sharpness: float = 19.0
    binarize: bool = True

    def __post_init__(self) -> None:
        check_form(self.form)

    def __call__(self, gray: np.ndarray) -> np.ndarray:
        return xdog(
            gray,
            self.form,
            sigma=self.sigma,
            ratio=self.ratio,
            tau=self.tau,
            phi=self.phi,
            eps=self.eps,
            sharpness=self.sharpness,
            binarize=self.binarize,
        )

    def with_sigma(self, sigma: float) -> XDoG:
        """The same with another sigma of the smaller Gaussian."""
        return replace(self, sigma=sigma)


MANGA = XDoG()  # Golyadkin and Makarov 2020, section 3
MANGA_RELEASE = XDoG(ratio=8.0, phi=89.25, eps=-0.1)
TEXTBOOK = XDoG("textbook", sigma=0.5, ratio=1.6, tau=0.98, phi=200.0, eps=0.0)
SHARPENED = XDoG("sharpened", sigma=0.4, ratio=4.5, phi=1e9, eps=0.01)  # Cao et al. 2023, release
