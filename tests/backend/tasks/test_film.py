"""The frames of a shot that a network paints are refined with those before them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the networks need PyTorch")

import torch

from backend.models.architectures import build
from backend.tasks.canvas import read_canvas
from backend.tasks.film import WINDOW, Film, FilmPainter
from backend.tasks.painting import SIDE, Painter
from backend.tasks.sources import View, read_source, view_of
from tests.backend import figures


class Echo(torch.nn.Module):
    """Stands where the refiner does: keeps what it was shown and gives it back."""

    def forward(self, clip: torch.Tensor):
        self.clip = clip
        self.main = clip[:, :, 1:]
        return self


@pytest.fixture(scope="module")
def transform() -> torch.nn.Module:
    torch.manual_seed(3)
    return build("video", {"width": 4, "blocks": 1}).eval()


def drawing(shift: float) -> View:
    canvas = read_canvas(figures.face(256, shift=shift)[0])
    return view_of(canvas, canvas.chambers.label)


def source() -> View:
    line, color, _ = figures.face(256)
    return read_source(color, line).views[0]


def test_a_window_is_what_came_before_between_the_key_frames(transform: torch.nn.Module):
    film, echo, key = Film(), Echo(), source()
    for time in range(1, 12):
        view = drawing(0.01 * time)
        painted = FilmPainter(transform, echo, film, time).paint(view, [key, key])
        alone = Painter(transform).paint(view, [key, key])
        assert np.allclose(painted, alone, atol=1e-6)  # its own place of the window
        assert echo.clip.shape == (1, min(time + 2, WINDOW), 4, SIDE, SIDE)
        assert torch.equal(echo.clip[0, 0], echo.clip[0, -1])  # a key frame at both ends
    FilmPainter(transform, echo, film, 3.5).paint(drawing(0.03), [key])
    assert echo.clip.shape[1] == 2  # of what is still kept nothing comes before


def test_frames_before_are_shown_where_the_figure_is_now(transform: torch.nn.Module):
    film, echo, key = Film(), Echo(), source()
    for time, shift in enumerate((0.0, 0.1)):
        FilmPainter(transform, echo, film, time).paint(drawing(shift), [key])
    before, now = (echo.clip[0, at, 0].numpy() for at in (1, 2))
    # the face has moved by a tenth of the canvas, of which the box shows nearly all
    moved = np.roll(before, round(0.1 * 256 * SIDE / drawing(0.1).box.side), axis=1)
    assert np.abs(moved - now).mean() < 0.5 * np.abs(before - now).mean()


def test_a_refiner_sees_its_neighbours(transform: torch.nn.Module):
    torch.manual_seed(5)
    refiner = build("video_refinement", {"width": 4}).eval()
    key, view = source(), drawing(0.05)
    film = Film()
    first = FilmPainter(transform, refiner, film, 1).paint(view, [key])
    FilmPainter(transform, refiner, film, 2).paint(drawing(0.0), [key])
    third = FilmPainter(transform, refiner, film, 3).paint(view, [key])
    assert first.shape == third.shape == (SIDE, SIDE, 3)
    assert ((third >= 0) & (third <= 1)).all()
    assert (first != third).any()  # the same drawing after other frames
