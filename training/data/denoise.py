"""Compression noise taken off pages: by FFDNet where its weights are, else by non-local means.

Golyadkin and Makarov (AIST 2020), sections 4.1, 6 and 10 of the specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch

from backend.models.architectures import load_weights
from backend.models.ffdnet import PUBLISHED, FFDNet
from training.errors import TrainingError
from training.pretrained import digest, load_state, resolve

from .base import unit
from .resize import resize

COLOR, GRAY = PUBLISHED
TESTED_SIDE = 1200  # pixels of the longer side at which the release denoises pages it colours
_BAND = 512  # rows at a time, an even number: a scan as a whole would take gigabytes


class Denoiser:
    """Takes noise off pages with the networks that are here.

    ``files``: those of FFDNet, by name. Coloured pages take ffdnet_color, black-and-white ones
    ffdnet_gray or else the colour network too. Non-local means takes the place of what is absent,
    which ``degraded`` says. ``key`` tells what is made with other networks apart, for caches.
    Raises TrainingError for a damaged file or one of another network.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = dict(files)
        self.key = " ".join(digest(path) for path in self.files.values()) or "non-local means"
        self.degraded: list[str] = []
        if COLOR not in self.files:
            absent = " and ".join(name for name in PUBLISHED if name not in self.files)
            self.degraded.append(f"denoiser=non-local means: the weights of {absent} are absent")
        self._networks = {name: _load(name, path) for name, path in self.files.items()}

    @classmethod
    def found(cls) -> Denoiser:
        """With the weights that `resolve` finds."""
        found = {name: resolve(name) for name in PUBLISHED}
        return cls({name: path for name, path in found.items() if path is not None})

    def __call__(self, picture: np.ndarray, sigma: float) -> np.ndarray:
        """A picture (H, W) or (H, W, 3) uint8 without noise of about ``sigma`` (of 255)."""
        networks = self._networks
        if picture.ndim == 2 and GRAY in networks:
            return _by_network(networks[GRAY], picture, sigma)
        if COLOR not in networks:
            return non_local_means(picture, sigma)
        if picture.ndim == 3:
            return _by_network(networks[COLOR], picture, sigma)
        clean = _by_network(networks[COLOR], np.dstack([picture] * 3), sigma)
        return np.rint(clean.mean(2)).astype(np.uint8)


def non_local_means(picture: np.ndarray, sigma: float) -> np.ndarray:
    """As `Denoiser` calls it; needs no weights (Buades, Coll and Morel 2005)."""
    strength = 0.4 * sigma
    if picture.ndim == 2:
        return cv2.fastNlMeansDenoising(picture, None, strength, 5, 15)
    return cv2.fastNlMeansDenoisingColored(picture, None, strength, strength, 5, 15)


def capped(picture: np.ndarray, side: int) -> np.ndarray:
    """A uint8 picture whose longer side has at most ``side`` pixels."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    return resize(picture, max(1, round(height * scale)), max(1, round(width * scale)), "area")


def _load(name: str, path: Path) -> FFDNet:
    network = FFDNet(**PUBLISHED[name])
    try:
        load_weights(network, load_state(path), path)
    except ValueError as error:
        raise TrainingError(str(error), f"replace it by {name}.pth of KAIR's release") from error
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def _by_network(network: FFDNet, picture: np.ndarray, sigma: float) -> np.ndarray:
    noisy, noise = unit(picture)[None], torch.full((1, 1, 1, 1), sigma / 255)
    bands = []
    for top in range(0, picture.shape[0], _BAND):
        above = min(top, network.margin)
        seen = noisy[:, :, top - above : top + _BAND + network.margin]
        bands.append(network(seen, noise)[0, :, above : above + _BAND])
    clean = (torch.cat(bands, 1).clamp(0, 1) * 255).round().to(torch.uint8)
    array = np.ascontiguousarray(clean.permute(1, 2, 0).numpy())
    return array if picture.ndim == 3 else array[..., 0]
