"""The task "lines": line art of a finished picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from backend.imaging import io, planes
from backend.imaging.ground import laid_on_white
from backend.imaging.lines import to_unit
from backend.imaging.xdog import XDoG
from backend.models.registry import MODELS, ids_for
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat

from .request import ENCODINGS, Outcome, Request, naming
from .selection import cut_out, read_selection

LEAST_CONTRAST = 0.03  # of white; below it a picture shows nothing
_GROUNDS = ("", "paper", "transparent")
_SIGMA = 0.5  # pixels at a long side of 512
_LEAST_SIGMA = 0.4
_WHITE = 0.9  # brighter tones are paper: flat colour leaves a tint behind
_SIDE = 384  # longest side of what the network draws, so that a line is as thick at any size
_STEEPEST = 4.0  # contrast that an enlarged stroke gets, so that its edge is no slope


def extract_lines(
    picture: np.ndarray, method: str = "xdog", *, cancelled: Callable[[], bool] = lambda: False
) -> np.ndarray:
    """Line art (H, W) uint8, 255 = paper, of a picture: its outlines and its solid blacks.

    picture: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, 8 or 16 bit; what is transparent counts
    as white. Lines are as thick at any size, in shares of the picture. method: "xdog"
    (Winnemoeller 2011; the form of Golyadkin and Makarov 2020) or "learned" (a trained extractor).
    Raises NuriError: bad_input (blank picture), model_missing, cancelled.
    """
    grey = _luminance(picture)
    if float(grey.max()) - float(grey.min()) < LEAST_CONTRAST:
        raise NuriError(
            ErrorCode.bad_input,
            "the picture is blank: it has no lines",
            "Choose the layer or file with the picture",
        )
    if cancelled():
        raise NuriError(ErrorCode.cancelled, "the job was cancelled")
    tone = _learned(picture) if method == "learned" else _filtered(grey)
    return np.rint(np.clip(tone / _WHITE, 0, 1) * 255).astype(np.uint8)


def _filtered(grey: np.ndarray) -> np.ndarray:
    """Tones 0..1 (H, W), 1 = paper, by XDoG."""
    sigma = max(_LEAST_SIGMA, _SIGMA * max(grey.shape) / 512)
    return XDoG(sigma=sigma, binarize=False)(grey)


def _learned(picture: np.ndarray) -> np.ndarray:
    """Tones 0..1 (H, W), 1 = paper, by the trained network on a copy of at most _SIDE pixels."""
    network = store.load(MODELS["learned"].weights, rounded=True)
    import torch

    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    paper = picture if picture.ndim == 2 else laid_on_white(picture)
    small = to_unit(laid_on_white(cv2.resize(paper, size, interpolation=cv2.INTER_AREA)))
    with torch.inference_mode():
        color = torch.from_numpy(small * 2 - 1).permute(2, 0, 1)[None]
        tone = (network(color).main[0, 0].numpy() + 1) / 2
    if scale == 1:
        return tone
    large = cv2.resize(tone, (width, height), interpolation=cv2.INTER_CUBIC)
    steepness = np.float32(min(_STEEPEST, 1 / scale))
    return np.clip((large - 0.5) * steepness + 0.5, 0, 1)


def run_lines(request: Request) -> Outcome:
    """Inputs ``picture`` and ``mask``, options ``method``, ``layer``, ``ground`` and ``encode``.

    Output ``lines``: gray8, 255 = paper; or, with the ground "transparent", black RGBA whose alpha
    is the ink. There are no lines outside of the mask.
    """
    encoding = request.text("encode", ENCODINGS)
    transparent = request.text("ground", _GROUNDS) == "transparent"
    method = request.text("method", ("", *ids_for("lines"))) or ids_for("lines")[0]
    plane = request.inputs.get("picture")
    if plane is None:
        raise NuriError(ErrorCode.bad_input, "there is no picture", "Choose a layer or file")
    if isinstance(plane, PixelBuffer):
        pixels = planes.to_line(planes.to_array(plane), plane.format)
    else:
        layer = plane.layer or request.text("layer")
        pixels = io.read_image(plane.data, plane.file_name, layer)
    mask = read_selection(request, *pixels.shape[:2])
    request.step(0.2, "finding lines")
    with naming(plane):
        lines = extract_lines(pixels, method, cancelled=request.cancelled)
    request.step(0.8, "packing")
    if mask is not None:
        lines = 255 - cut_out(255 - lines, mask)
    info = {"width": lines.shape[1], "height": lines.shape[0], "warnings": []}
    packed = _inked(lines) if transparent else lines
    if encoding:
        return Outcome((EncodedImage("lines", "lines.png", io.encode_png(packed)),), info)
    if transparent:
        return Outcome((planes.rgb_plane("lines", packed, plane),), info)
    return Outcome((planes.to_plane("lines", packed, PixelFormat.gray8),), info)


def _inked(lines: np.ndarray) -> np.ndarray:
    """Lines (H, W) on paper as black ink (H, W, 4) on nothing."""
    result = np.zeros((*lines.shape, 4), np.uint8)
    result[..., 3] = 255 - lines
    return result


def _luminance(picture: np.ndarray) -> np.ndarray:
    """(H, W) float32 in 0..1, on white."""
    unit = to_unit(picture)
    if unit.ndim == 2:
        return unit
    grey = cv2.cvtColor(np.ascontiguousarray(unit[..., :3]), cv2.COLOR_RGB2GRAY)
    if unit.shape[2] == 4:
        grey = 1 - unit[..., 3] * (1 - grey)
    return np.asarray(grey, np.float32)
