"""The task "cuts": where a film of line art is cut into shots."""

from __future__ import annotations

import numpy as np

from backend.imaging import planes
from backend.imaging.cuts import find_cuts, summarise
from protocol import checks
from protocol.pixels import PixelBuffer

from .request import Outcome, Request


def run_cuts(request: Request) -> Outcome:
    """Inputs ``strip0``, ``strip1``, ...: the frames in their order, small, one under the other.

    Option ``frames``: how many each strip holds. No outputs; the info names in ``cuts`` the frames,
    counted from 0, with which a new shot begins. Raises NuriError: malformed (no strips, or not of
    so many frames), cancelled.
    """
    counts = request.numbers("frames")
    summaries = []
    for number, count in enumerate(counts):
        strip = _strip(request, number, count)
        for frame in np.split(strip, int(count)):
            request.step(number / len(counts), "looking for cuts")
            summaries.append(summarise(frame))
    if not summaries:
        raise checks.malformed("there are no frames to cut")
    return Outcome((), {"cuts": find_cuts(summaries)})


def _strip(request: Request, number: int, count: float) -> np.ndarray:
    """(H, W) or (H, W, 3 or 4) of frames of one height."""
    plane = request.inputs.get(f"strip{number}")
    is_whole = count >= 1 and count == int(count)
    if not isinstance(plane, PixelBuffer) or not is_whole or plane.height % int(count):
        raise checks.malformed(f"strip{number} does not hold {count} frames")
    return planes.to_line(planes.to_array(plane), plane.format)
