"""`nuri animate --cuts`: the shots of a film, each with its own key frames."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from backend.imaging import io
from protocol.errors import NuriError
from protocol.pixels import EncodedImage

from .animate_plan import Plan, ShotFrame, check_keys
from .interrupt import Interrupt


def cut_plan(
    plan: Plan, interrupt: Interrupt, progress: Callable[[float, str], None]
) -> list[Plan]:
    """The shots of a film in their order; some may have no key frame.

    Frames that cannot be read stay with the frame before. Raises KeyboardInterrupt once Ctrl-C has
    been pressed, NuriError too_large (key frames of one shot).
    """
    from backend.imaging.cuts import find_cuts, summarise

    summaries = []
    for frame in plan.frames:
        if interrupt.requested:
            raise KeyboardInterrupt
        progress(frame.index / len(plan.frames), "looking for cuts")
        try:
            summaries.append(summarise(_lines(frame)))
        except NuriError:
            summaries.append(None)  # told when it is its turn to be coloured
    starts = [0, *find_cuts(summaries), len(plan.frames)]
    shots = []
    for start, stop in pairwise(starts):
        frames = plan.frames[start:stop]
        keys = [(frame, key) for frame, key in plan.keys if start <= frame.index < stop]
        shots.append(Plan(frames, keys))
        check_keys(shots[-1])
    return shots


def _lines(frame: ShotFrame) -> Any:
    from backend.imaging import planes

    plane = frame.plane("line")
    if isinstance(plane, EncodedImage):
        return io.read_image(plane.data, plane.file_name, plane.layer)
    return planes.to_array(plane)
