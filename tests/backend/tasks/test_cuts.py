"""The task "cuts": strips of small frames in, places of cuts out."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging import planes
from backend.tasks import job
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelFormat, Plane
from tests.backend.imaging.test_cuts import drawing


def strip(number: int, frames: list[np.ndarray]) -> Plane:
    return planes.to_plane(f"strip{number}", np.vstack(frames), PixelFormat.gray8)


def run(inputs: list[Plane], frames: object, *, cancelled: bool = False) -> dict:
    outcome = job.run(
        "cuts",
        inputs,
        {"frames": frames},
        progress=lambda fraction, stage: None,
        cancelled=lambda: cancelled,
    )
    assert outcome.outputs == ()
    return outcome.info


def film() -> list[np.ndarray]:
    """Shots of 5, 4 and 6 frames, each moving by 4 pixels a frame."""
    shots = ((1, 5), (2, 4), (3, 6))
    return [drawing(seed, 4 * n) for seed, count in shots for n in range(count)]


@pytest.mark.parametrize("counts", [[15], [5, 10], [7, 7, 1]])
def test_cuts_are_found_wherever_strips_end(counts: list[int]) -> None:
    frames, inputs = film(), []
    for number, count in enumerate(counts):
        inputs.append(strip(number, frames[:count]))
        del frames[:count]
    assert run(inputs, counts) == {"cuts": [5, 9]}


def test_a_single_frame_is_a_single_shot() -> None:
    assert run([strip(0, film()[:1])], [1]) == {"cuts": []}


@pytest.mark.parametrize(
    "frames", [[], [0], [1.5], [7], [15, 15], ["a"], None, [1e9], [float("inf")], [float("nan")]]
)
def test_strips_that_are_not_made_of_so_many_frames_are_refused(frames: object) -> None:
    with pytest.raises(NuriError) as refused:
        run([strip(0, film())], frames)
    assert refused.value.code is ErrorCode.malformed


def test_it_can_be_cancelled() -> None:
    with pytest.raises(NuriError) as stopped:
        run([strip(0, film())], [15], cancelled=True)
    assert stopped.value.code is ErrorCode.cancelled
