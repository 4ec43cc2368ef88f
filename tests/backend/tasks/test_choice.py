"""Colours of a network's own choice: one a region, hints exact, nothing sure, the ground open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the networks need PyTorch")

import torch

from backend.imaging import io, planes
from backend.models.choosing import ColorChooser
from backend.tasks import job
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelFormat
from tests.backend import figures
from tests.backend.weights.shelf import SMALL_MATCHER, put, put_model

HINT = (12, 200, 90, 255)
COLORS = [[250, 210, 180], [90, 50, 20], [20, 90, 200], [220, 40, 60]]


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A small matcher, a small chooser with four colours and a small painter of pages."""
    folder: Path = tmp_path_factory.mktemp("weights")
    put(folder, "matching", SMALL_MATCHER)
    torch.manual_seed(5)
    chooser = ColorChooser(dim=16, width=8, layers=1, colors=len(COLORS))
    chooser.palette.copy_(torch.tensor(COLORS) / 255)
    put_model(folder, "choosing", chooser)
    put(folder, "manga", {"width": 4, "size": "compact", "extractor_width": 8})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.OVERRIDE, str(folder))
        yield


def run(*inputs, **options):
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run("layer", inputs, {"model": "choosing", **options}, **silent)


def png(name: str, pixels: np.ndarray) -> EncodedImage:
    return EncodedImage(name, f"{name}.png", io.encode_png(pixels))


def coloured(*inputs, **options) -> tuple[np.ndarray, np.ndarray, dict]:
    """Flats (H, W, 4), regions (H, W) and facts."""
    outcome = run(*inputs, outputs=["flats", "regions"], **options)
    flats, regions = (planes.to_array(plane) for plane in outcome.outputs)
    return flats, regions.reshape(flats.shape[:2]), outcome.info


@pytest.mark.parametrize("size", [64, 512, 2000])
def test_without_hints_every_area_of_the_figure_has_a_colour_of_the_palette(size: int):
    line, _, parts = figures.face(size)
    flats, regions, facts = coloured(png("line", line))
    inside = flats[(parts > 0) & (line == 255)]
    assert (inside[:, 3] == 255).mean() > 0.98
    known = {(*color, 255) for color in COLORS}
    assert {tuple(color) for color in np.unique(inside[inside[:, 3] > 0], axis=0)} <= known
    assert (flats[: size // 64, :, 3] == 0).all()  # the ground stays paper
    assert sorted(facts["doubtful"]) == np.unique(regions[flats[..., 3] > 0]).tolist()


def test_a_hint_stays_exact_and_is_no_guess():
    line, _, parts = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234] = HINT
    flats, regions, facts = coloured(png("line", line), png("hints", hints))
    skin = (parts == 1) & (line == 255)
    assert (flats[skin] == HINT).all(axis=1).mean() > 0.98
    assert int(regions[280, 230]) not in facts["doubtful"]
    assert (flats[(parts > 1) & (line == 255)][:, 3] == 255).mean() > 0.98


@pytest.mark.parametrize("size", [64, 512, 2000])
def test_each_area_takes_one_colour_of_what_a_network_paints(size: int):
    line, _, parts = figures.face(size)
    flats, regions, facts = coloured(png("line", line), model="manga")
    inside = (parts > 0) & (line == 255)
    assert (flats[inside][:, 3] == 255).mean() > 0.98
    for number in np.unique(regions[inside & (regions > 0)]):
        assert len(np.unique(flats[regions == number], axis=0)) == 1
    assert (flats[: size // 64, :, 3] == 0).all()  # the ground stays paper
    assert sorted(facts["doubtful"]) == np.unique(regions[flats[..., 3] > 0]).tolist()


def test_what_is_painted_depends_on_the_hints_which_stay_exact():
    line, _, parts = figures.face()
    plain, _, _ = coloured(png("line", line), model="manga")
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234] = HINT
    flats, _, _ = coloured(png("line", line), png("hints", hints), model="manga")
    skin, shirt = ((parts == part) & (line == 255) for part in (1, 3))
    assert (flats[skin] == HINT).all(axis=1).mean() > 0.98
    assert (flats[shirt] != plain[shirt]).any()


def test_soft_shows_what_the_network_has_painted():
    line, _, parts = figures.face()
    flats, _, _ = coloured(png("line", line), model="manga")
    soft, _, _ = coloured(png("line", line), model="manga", soft=True)
    skin = (parts == 1) & (line == 255)
    assert len(np.unique(flats[skin], axis=0)) < 8 < len(np.unique(soft[skin], axis=0))
    assert (soft[..., 3] == flats[..., 3]).all()


@pytest.mark.parametrize("pixel_format", [PixelFormat.rgba8, PixelFormat.bgra16])
def test_soft_leaves_hints_exact(pixel_format: PixelFormat):
    line, _, parts = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    for number, (row, column) in enumerate(((280, 230), (215, 189), (215, 271), (454, 230))):
        # of as many colours none is likely for the hair, so that the network chooses there
        hints[row - 4 : row + 4, column - 4 : column + 4] = (*HINT[:2], 60 * number, 255)
    given = planes.from_rgba(hints, pixel_format)
    assert given is not None
    buffer = planes.to_plane("hints", given, pixel_format)
    soft, _, _ = coloured(png("line", line), buffer, model="manga", soft=True)
    skin, hair, shirt = ((parts == part) & (line == 255) for part in (1, 2, 3))
    assert (soft[skin] == given[280, 230]).all(axis=1).mean() > 0.98
    assert (soft[shirt] == given[454, 230]).all(axis=1).mean() > 0.98
    assert len(np.unique(soft[hair], axis=0)) > 8


def test_where_nothing_is_left_to_choose_nothing_goes_wrong():
    """Of one area the first round leaves none for those that follow."""
    line = np.full((64, 64), 255, np.uint8)
    line[8:56, 8:56] = 0
    line[11:53, 11:53] = 255
    flats, _, _ = coloured(png("line", line))
    assert flats[32, 32, 3] == 255


def test_blue_first_hints_come_back_blue_first():
    line, _, _ = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234] = HINT
    buffer = planes.to_plane("hints", hints[..., [2, 1, 0, 3]], PixelFormat.bgra8)
    plane = run(png("line", line), buffer).outputs[0]
    assert plane.format is PixelFormat.bgra8
    assert planes.to_array(plane)[280, 230].tolist() == [HINT[i] for i in (2, 1, 0, 3)]


def test_a_reference_decides_over_the_choice():
    line, color, _ = figures.face()
    flats, _, _ = coloured(png("line", line), png("reference_0", color))
    palette = np.unique(color.reshape(-1, 3), axis=0)
    shown = np.unique(flats[flats[..., 3] > 0][:, :3], axis=0)
    assert all((np.abs(palette.astype(int) - one).max(1) <= 3).any() for one in shown)


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "manifest.toml").write_text("")
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    with pytest.raises(NuriError) as caught:
        run(png("line", figures.face()[0]))
    assert caught.value.code is ErrorCode.model_missing


def test_colours_that_no_network_understands():
    line, _, _ = figures.face()
    ink = planes.to_plane("hints", np.ones((*line.shape, 5), np.uint8), PixelFormat.cmyka8)
    with pytest.raises(NuriError) as caught:
        run(png("line", line), ink)
    assert caught.value.code is ErrorCode.unsupported and "cmyka8" in str(caught.value)
