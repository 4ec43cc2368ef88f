"""Colours of a network's own choice: regions keep one colour each, soft colours keep to regions."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the networks need PyTorch")

from backend.imaging import io, planes
from backend.tasks import job
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelFormat
from tests.backend import figures
from tests.backend.weights.shelf import put

HINT = (12, 200, 90, 255)


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A small network of pages alone."""
    folder: Path = tmp_path_factory.mktemp("weights")
    put(folder, "manga", {"width": 4, "size": "release", "extractor_width": 4}, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.OVERRIDE, str(folder))
        yield


def run(*inputs, **options):
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run("layer", inputs, options, **silent)


def png(name: str, pixels: np.ndarray) -> EncodedImage:
    return EncodedImage(name, f"{name}.png", io.encode_png(pixels))


def coloured(*inputs, **options) -> tuple[np.ndarray, np.ndarray, dict]:
    """Flats (H, W, 4), regions (H, W) and facts."""
    outcome = run(*inputs, outputs=["flats", "regions"], **options)
    flats, regions = (planes.to_array(plane) for plane in outcome.outputs)
    return flats, regions.reshape(flats.shape[:2]), outcome.info


def test_without_hints_every_area_of_the_figure_has_one_colour_and_is_a_guess():
    line, _, parts = figures.face()
    flats, regions, facts = coloured(png("line", line), model="manga")
    for region in np.unique(regions[regions > 0]):
        assert len(np.unique(flats[regions == region].reshape(-1, 4), axis=0)) == 1
    assert (flats[(parts > 0) & (line == 255)][:, 3] == 255).all()
    assert (flats[:8, :, 3] == 0).all()  # the ground stays paper
    assert sorted(facts["doubtful"]) == np.unique(regions[flats[..., 3] > 0]).tolist()


def test_a_hint_stays_exact_and_is_no_guess():
    line, _, parts = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234] = HINT
    flats, regions, facts = coloured(png("line", line), png("hints", hints), model="manga")
    skin = (parts == 1) & (line == 255)
    assert (flats[skin] == HINT).all(axis=1).mean() > 0.98
    assert int(regions[280, 230]) not in facts["doubtful"]
    assert (flats[parts > 1][:, 3] == 255).mean() > 0.95


def test_soft_colours_stay_in_their_regions_and_vary():
    line, color, parts = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    for part in np.unique(parts[parts > 0]):
        inside = cv2.erode((parts == part).astype(np.uint8), np.ones((9, 9))) > 0
        hints[inside & (line == 255)] = (*color[inside][0], 255)
    flat, _, _ = coloured(png("line", line), png("hints", hints), model="manga")
    soft, regions, _ = coloured(png("line", line), png("hints", hints), soft=True, model="manga")
    assert (soft[..., 3] == flat[..., 3]).all()
    assert (soft[flat[..., 3] == 0] == 0).all()
    largest = int(np.bincount(regions[parts == 1]).argmax())
    assert len(np.unique(soft[regions == largest], axis=0)) > 50
    deep = planes.to_array(
        run(
            png("line", line), png("hints", hints.astype(np.uint16) * 257), soft=True, model="manga"
        ).outputs[0]
    )
    assert deep.dtype == np.uint16 and np.abs(deep / 257 - soft).max() < 1


@pytest.mark.parametrize("size", [64, 2000])
def test_any_size(size: int):
    line, _, parts = figures.face(size)
    for soft in (False, True):
        flats, _, _ = coloured(png("line", line), model="manga", soft=soft)
        assert flats.shape == (*line.shape, 4)
        assert (flats[(parts > 0) & (line == 255)][:, 3] == 255).mean() > 0.98


def test_blue_first_hints_come_back_blue_first():
    line, _, _ = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234] = HINT
    buffer = planes.to_plane("hints", hints[..., [2, 1, 0, 3]], PixelFormat.bgra8)
    plane = run(png("line", line), buffer, model="manga").outputs[0]
    assert plane.format is PixelFormat.bgra8
    assert planes.to_array(plane)[280, 230].tolist() == [HINT[i] for i in (2, 1, 0, 3)]


def test_references_are_for_another_model():
    line, color, _ = figures.face()
    with pytest.raises(NuriError, match="manga knows no references"):
        run(png("line", line), png("reference_0", color), model="manga")


def test_colours_that_no_network_understands():
    line, _, _ = figures.face()
    ink = planes.to_plane("hints", np.ones((*line.shape, 5), np.uint8), PixelFormat.cmyka8)
    with pytest.raises(NuriError) as caught:
        run(png("line", line), ink, soft=True)
    assert caught.value.code is ErrorCode.unsupported and "cmyka8" in str(caught.value)


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "manifest.toml").write_text("")
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    with pytest.raises(NuriError, match="manga") as caught:
        run(png("line", figures.face()[0]), model="manga")
    assert caught.value.code is ErrorCode.model_missing
