"""Line sources: the extractor that ships, one of your own, and what stands in for an absent one."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.imaging.xdog import SHARPENED
from backend.models.architectures import build, save_model
from backend.weights import store
from training.data import SampleDataset, open_dataset
from training.data.cache import ArrayCache
from training.data.lines import EXTRACTOR, LearnedLines, ReleaseLines, XDoGLines, line_source
from training.data.sources import GeneratedPictures
from training.errors import TrainingError

STAND_IN = "lines=xdog_release: no trained line extractor, for pictures without a line file"
SETTINGS = {"size": 32, "count": 2, "seed": 0, "set": "", "clip": 8, "warp": False}
shipped = pytest.mark.skipif(EXTRACTOR not in store.installed(), reason="no extractor ships")


@pytest.fixture(autouse=True)
def let_go() -> None:
    store.release()


def brightness(color: torch.Tensor) -> torch.Tensor:
    return color.mean(1, keepdim=True)


@shipped
@pytest.mark.parametrize("kind", ["pairs", "shots"])
def test_learned_lines_are_those_of_the_extractor_that_ships(kind: str) -> None:
    learned, xdog = (
        open_dataset(kind, {**SETTINGS, "lines": name}, None, "test")
        for name in ("learned", "xdog")
    )
    assert learned.degraded == []
    picture = GeneratedPictures("toon", 1, size=32).load(0)
    color = torch.from_numpy(picture.paint.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        expected = ((store.load(EXTRACTOR)(color).main[0, 0] + 1) * 127.5).round()
    drawn = learned.lines(picture)  # type: ignore[attr-defined]
    assert np.abs(drawn - expected.numpy()).max() <= 1
    assert not torch.equal(learned[0]["line"], xdog[0]["line"])


@shipped
def test_worker_processes_get_the_extractor_too() -> None:
    dataset = open_dataset("pairs", {**SETTINGS, "lines": "learned"}, None, "test")
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(dataset[0]["line"], copy[0]["line"])


def test_an_extractor_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_model(path, build(EXTRACTOR, {"width": 2}))
    cache = tmp_path / "cache"
    lines = line_source(str(path), ArrayCache(cache))
    picture = GeneratedPictures("toon", 1, size=32).load(0)
    assert isinstance(lines, LearnedLines) and lines(picture).shape == (32, 32)
    assert len(list(cache.rglob("*.npy"))) == 1
    assert np.array_equal(lines(picture), lines(picture)) and not lines.degraded


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_model(path, build("ibn_gan", {"width": 2, "depth": 2}))
    with pytest.raises(TrainingError, match=r"other\.safetensors.*holds the network 'ibn_gan'"):
        line_source(str(path))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match=r"other\.safetensors cannot draw lines"):
        line_source(str(path))
    with pytest.raises(TrainingError, match=r"nowhere\.safetensors"):
        line_source(str(tmp_path / "nowhere.safetensors"))


def test_without_weights_xdog_draws_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NURI_WEIGHTS", str(tmp_path))
    dataset = open_dataset("pairs", {**SETTINGS, "lines": "learned"}, None, "train")
    assert dataset.degraded == ["lines=xdog_release: no trained line extractor"]
    assert isinstance(dataset.lines, ReleaseLines)  # type: ignore[attr-defined]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Six pictures with a drawing of one tone and six without a drawing, all in one folder."""
    (tmp_path / "color").mkdir()
    (tmp_path / "line").mkdir()
    for number in range(12):
        picture = GeneratedPictures("toon", 12, size=32).load(number).paint
        Image.fromarray(picture).save(tmp_path / "color" / f"{number:02}.png")
        if number % 2:
            Image.new("L", (32, 32), 77).save(tmp_path / "line" / f"{number:02}.png")
    return tmp_path


def drawn(dataset: SampleDataset) -> dict[str, np.ndarray]:
    """The drawing of each picture, 0..255, by the picture's name."""
    lines = {sample["name"]: sample["line"] for sample in (dataset[i] for i in range(len(dataset)))}
    return {name: ((line[0] + 1) * 127.5).round().numpy() for name, line in lines.items()}


@pytest.mark.parametrize("weights", [pytest.param(True, marks=shipped), False])
def test_only_pictures_without_a_drawing_are_drawn_by_what_is_learned(
    mixed: Path, monkeypatch: pytest.MonkeyPatch, weights: bool
) -> None:
    if not weights:
        monkeypatch.setenv("NURI_WEIGHTS", str(mixed))
    other, degraded = ("learned", []) if weights else ("xdog_release", [STAND_IN])
    found, expected = (
        open_dataset("pairs", {**SETTINGS, "lines": name}, mixed, "train")
        for name in ("file+learned", other)
    )
    ours, theirs = drawn(found), drawn(expected)
    with_a_file = {name for name, line in ours.items() if (line == 77).all()}
    assert with_a_file == {name for name in ours if int(name) % 2} and len(ours) > 8
    for name in ours.keys() - with_a_file:
        assert np.array_equal(ours[name], theirs[name])
    assert found.degraded == degraded


def test_lines_of_the_release_have_one_of_three_sigmas() -> None:
    source = GeneratedPictures("toon", 12, size=64)
    lines = line_source("xdog_release")
    sigmas = set()
    for picture in (source.load(index) for index in range(12)):
        drawn = {
            sigma: XDoGLines(SHARPENED.with_sigma(sigma))(picture) for sigma in (0.3, 0.4, 0.5)
        }
        sigmas |= {sigma for sigma, one in drawn.items() if np.array_equal(one, lines(picture))}
    assert len(sigmas) >= 2


def test_shots_without_lines_say_whose_place_xdog_takes() -> None:
    shots = open_dataset("shots", {**SETTINGS, "lines": "file"}, None, "train")
    picture = replace(GeneratedPictures("toon", 1, size=32).load(0), line=None)
    shots.lines(picture)  # type: ignore[attr-defined]
    reason = "lines=xdog: pictures without a line file, in the place of sketchKeras, which is not"
    assert [line.startswith(reason) for line in shots.degraded] == [True]


def test_learned_lines_take_any_size() -> None:
    picture = GeneratedPictures("toon", 1, size=50).load(0)
    assert LearnedLines(brightness)(picture).shape == (50, 50)


def test_a_large_picture_is_drawn_from_a_copy() -> None:
    seen = []

    def network(color: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(color.shape[2:]))
        return brightness(color)

    picture = GeneratedPictures("toon", 1, size=96).load(0)
    assert LearnedLines(network, side=48)(picture).shape == (96, 96) and seen == [(48, 48)]


def test_a_source_that_is_not_known() -> None:
    with pytest.raises(TrainingError, match=r"data\.lines is 'pencil'"):
        line_source("pencil")
