"""A shot: which coloured drawings each frame follows, and whether finished frames show lines."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backend import shots

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)

from backend.tasks import animation, canvas, sources
from backend.weights import store
from tests.backend.weights.shelf import SMALL_MATCHER, put


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "matching", SMALL_MATCHER)
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))


def key_frame(time: int, index: int) -> animation.ColouredFrame:
    source = sources.read_source(shots.coloured(index), shots.line(index), name=str(index))
    return animation.ColouredFrame(time, source)


def test_the_nearest_key_frames_are_followed() -> None:
    shot = animation.Shot([key_frame(time, time // 2) for time in (8, 0, 4)])
    for time, near in ((3, [4, 0]), (5, [4, 8]), (4, [4]), (-1, [0]), (9, [8])):
        assert [frame.time for frame in shot.neighbours(time)] == near


def test_a_pose_that_comes_back_is_followed_too() -> None:
    # another pose than that of the other key frames: the boxes one above the other
    tall = shots.line(1).T
    colour = np.repeat(tall[..., None], 3, axis=2)
    far = animation.ColouredFrame(30, sources.read_source(colour, tall))
    shot = animation.Shot([*(key_frame(time, time // 10) for time in (0, 10, 20)), far])

    def followed(line: np.ndarray, time: float) -> list[float]:
        return [frame.time for frame in shot.follow(time, canvas.read_canvas(line))]

    assert followed(tall, 4) == [0, 10, 30]
    assert followed(tall, 24) == [20, 30]  # near already
    assert followed(tall, 10) == [10]  # nothing is more like it than itself


def test_the_frame_before_is_followed_where_it_is_nearer_than_a_key_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    followed = []

    def follow(_canvas: Any, result: Any, before: Any) -> Any:
        followed.append(before.time)
        return result

    monkeypatch.setattr(animation, "follow_neighbour", follow)
    shot = animation.Shot([key_frame(0, 0), key_frame(6, 5)])
    for time in (2, 3, 5, 4):
        shot.colour(shots.line(time), time)
    assert followed == [2, 5]  # frame 5 is as near to the last key frame as to what came before


def test_lines_go_over_the_colours_where_the_key_frames_show_them() -> None:
    line, bare = shots.line(0), shots.coloured(0)
    assert animation.shows_lines(shots.finished(0), line)
    assert not animation.shows_lines(bare, line)
    # paints as dark as ink are none
    dark = bare.copy()
    dark[(bare[..., :3] == shots.BLUE).all(axis=2), :3] = 40
    assert not animation.shows_lines(dark, line)
    bare[:9, :9, 3] = 0  # colours on a layer of their own
    assert animation.shows_lines(bare, line)
