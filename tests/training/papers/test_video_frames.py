"""Frames of clips: references, windows, hue."""

from __future__ import annotations

import colorsys
from itertools import pairwise

import pytest
import torch
from torch import nn

from backend.models.video import ColorTransformNet
from training.papers.video_frames import (
    colour_frames,
    reference_positions,
    refine_clip,
    rotate_hue,
    windows,
)


@pytest.mark.parametrize(
    ("frames", "count", "kind", "expected"),
    [
        (8, 2, "ends", [0, 7]),
        (8, 1, "ends", [0]),
        (9, 3, "ends", [0, 4, 8]),
        (9, 5, "ends", [0, 2, 4, 6, 8]),
        (8, 2, "first", [0, 0]),
    ],
)
def test_references_stand_at_equal_spacing(
    frames: int, count: int, kind: str, expected: list[int]
) -> None:
    assert reference_positions(frames, count, kind) == expected


@pytest.mark.parametrize("frames", [1, 8, 32, 33, 56, 57, 100])
def test_windows_cover_a_shot(frames: int) -> None:
    parts = windows(frames)
    covered = {frame for start, stop in parts for frame in range(start, stop)}
    assert covered == set(range(frames))
    assert all(stop - start <= 32 for start, stop in parts)
    assert all(stop - later >= 8 for (_, stop), (later, _) in pairwise(parts))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_hue_turns_as_in_colorsys(degrees: int) -> None:
    rgb = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turned = rotate_hue(rgb, degrees).permute(0, 2, 3, 1).reshape(-1, 3)
    for before, after in zip(rgb.permute(0, 2, 3, 1).reshape(-1, 3), turned, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        expected = colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value)
        assert after.tolist() == pytest.approx(expected, abs=1e-9)


def test_grey_has_no_hue_to_turn() -> None:
    gray = torch.full((1, 3, 2, 2), 0.4)
    torch.testing.assert_close(rotate_hue(gray, 90), gray)


def test_references_of_a_clip_keep_their_colours() -> None:
    generator = torch.Generator().manual_seed(0)
    batch = {
        name: torch.rand(2, 4, channels, 32, 32, generator=generator)
        for name, channels in (("line", 1), ("distance", 1), ("color", 3))
    }
    network = ColorTransformNet(width=4, blocks=1).eval()
    with torch.no_grad():
        coloured = colour_frames(network, batch, [0, 3])
        frame = network(
            batch["line"][:, 1],
            batch["distance"][:, 1],
            *(batch[name][:, [0, 3]] for name in ("line", "distance", "color")),
        ).main
    assert torch.equal(coloured[:, 0], batch["color"][:, 0])
    assert torch.equal(coloured[:, 3], batch["color"][:, 3])
    torch.testing.assert_close(coloured[:, 1], frame)


class Echo(nn.Module):
    """Gives back the colours of the clip that it saw and remembers its length."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []
        self.ends: list[tuple[float, float]] = []

    def forward(self, clip: torch.Tensor) -> Echo:
        self.lengths.append(clip.shape[1])
        self.main = clip[:, :, 1:]
        self.ends.append((float(self.main[:, 0].mean()), float(self.main[:, -1].mean())))
        return self


def test_a_long_shot_is_refined_in_windows_with_references_at_both_ends() -> None:
    coloured = torch.rand(1, 50, 3, 2, 2)
    echo = Echo()
    refined = refine_clip(echo, torch.rand(1, 50, 1, 2, 2), coloured, [0, 49])
    assert echo.lengths == [34, 34]
    torch.testing.assert_close(refined, coloured)


@pytest.mark.parametrize(
    ("positions", "ends"), [([0, 49], (0, 49)), ([0], (0, 0)), ([0, 0], (0, 0))]
)
def test_windows_end_with_references_alone(positions: list[int], ends: tuple[int, int]) -> None:
    numbers = torch.arange(50.0).view(1, 50, 1, 1, 1).expand(1, 50, 3, 2, 2)
    echo = Echo()
    refined = refine_clip(echo, torch.rand(1, 50, 1, 2, 2), numbers, positions)
    assert echo.ends == [ends, ends]
    torch.testing.assert_close(refined, numbers)
