"""The selection that a job may come with: what lies outside of it stays as it is."""

from __future__ import annotations

import numpy as np

from backend.imaging import planes
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat

from .request import Request


def read_selection(request: Request, height: int, width: int) -> np.ndarray | None:
    """The input ``mask`` as (H, W) uint8, 255 = selected; None when there is none.

    Raises NuriError: malformed (another format), bad_input (beyond the picture).
    """
    plane = request.inputs.get("mask")
    if plane is None:
        return None
    if not isinstance(plane, PixelBuffer) or plane.format is not PixelFormat.gray8:
        raise NuriError(
            ErrorCode.malformed, "the mask must be gray8", "Send the selection as 8-bit grey"
        )
    return planes.on_canvas(plane, width, height)[..., 0]


def cut_out(alpha: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Alpha (H, W) within a selection (H, W) uint8, in the dtype of alpha."""
    share = mask.astype(np.float32) / 255
    return np.rint(alpha * share).astype(alpha.dtype)
