"""Noise of pages: FFDNet where its weights are, else non-local means, and that the run says so."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from backend.models.ffdnet import PUBLISHED, FFDNet
from training import papers, presets
from training.cli import main
from training.data import MangaDataset
from training.data.base import unit
from training.data.denoise import COLOR, GRAY, Denoiser, capped, non_local_means
from training.data.layouts import photo_entries
from training.data.sources import FilePictures
from training.engine import Trainer
from training.errors import TrainingError
from training.papers.sources import samples
from training.pretrained import digest

from ..published import layer
from .conftest import save

ABSENT = "denoiser=non-local means: the weights of ffdnet_color and ffdnet_gray are absent"


def random_network(name: str) -> FFDNet:
    """Of the published size; its results go beyond [0, 1] on both sides."""
    torch.manual_seed(0)
    network = FFDNet(**PUBLISHED[name])
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    nn.init.normal_(network.model[-1].weight, std=0.2)  # type: ignore[arg-type]
    return network


def blank(name: str) -> dict[str, torch.Tensor]:
    """Weights that give black."""
    return {key: torch.zeros_like(v) for key, v in FFDNet(**PUBLISHED[name]).state_dict().items()}


def flat(name: str, level: int) -> dict[str, torch.Tensor]:
    """Weights that give one level (of 255) whatever they see."""
    state = blank(name)
    state[list(state)[-1]].fill_(level / 255)
    return state


def passing(name: str) -> dict[str, torch.Tensor]:
    """Weights that give back what they see."""
    state = blank(name)
    for key, value in state.items():
        for channel in range(4 * PUBLISHED[name]["channels"] if key.endswith("weight") else 0):
            value[channel, channel, 1, 1] = 1
    return state


def put(folder: Path, name: str, state: dict[str, torch.Tensor]) -> Path:
    path = folder / f"{name}.safetensors"
    save_file(state, path)
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(("name", "shape"), [(COLOR, (37, 50, 3)), (GRAY, (50, 37))])
def test_a_published_file_is_imported_and_denoises(
    name: str, shape: tuple[int, ...], nowhere: Path, tmp_path: Path
) -> None:
    network = random_network(name)
    torch.save(network.state_dict(), tmp_path / f"{name}.pth")
    output = nowhere / f"{name}.safetensors"
    arguments = ["import", str(tmp_path / f"{name}.pth"), "-o", str(output), "--as", name]
    assert main(arguments) == 0
    denoiser, page = Denoiser.found(), noise(*shape)
    assert denoiser.files == {name: output}
    before = page.copy()
    clean = denoiser(page, 15.0)
    assert clean.shape == shape and clean.dtype == np.uint8 and np.array_equal(page, before)
    assert {0, 255} <= set(clean.ravel().tolist())  # clipped, not wrapped around
    assert np.array_equal(clean, denoiser(page, 15.0))
    with torch.inference_mode():
        expected = network(unit(page)[None], torch.full((1, 1, 1, 1), 15 / 255))[0].permute(1, 2, 0)
    levels = (expected.clamp(0, 1) * 255).numpy().reshape(shape)
    assert np.abs(clean - levels).max() <= 0.51
    assert not np.array_equal(clean, denoiser(page, 60.0))


def test_the_authors_files_are_found_as_they_are(nowhere: Path) -> None:
    layers = {f"model.{2 * n}": (96 if n else 13, 96 if n < 11 else 12) for n in range(12)}
    state = {}
    for key, (before, after) in layers.items():
        state |= layer(key, after, before, 3, 3, bias=after)
    torch.save(state, nowhere / "ffdnet_color.pth")
    assert Denoiser.found().files == {COLOR: nowhere / "ffdnet_color.pth"}


def test_long_pages_are_denoised_as_one(nowhere: Path) -> None:
    network = random_network(COLOR)
    put(nowhere, COLOR, network.state_dict())
    page = noise(1061, 9, 3)
    with torch.inference_mode():
        whole = network(unit(page)[None], torch.full((1, 1, 1, 1), 25 / 255))[0].clamp(0, 1)
    clean = unit(Denoiser.found()(page, 25.0))
    assert clean.shape == whole.shape and (clean - whole).abs().max() <= 0.51 / 255


def test_each_kind_of_page_has_its_network(nowhere: Path) -> None:
    colored, bw = noise(20, 16, 3), noise(20, 16)
    gray = put(nowhere, GRAY, flat(GRAY, 150))
    denoiser = Denoiser.found()
    assert (denoiser(bw, 15.0) == 150).all()
    assert np.array_equal(denoiser(colored, 15.0), non_local_means(colored, 15.0))
    assert denoiser.degraded == ["denoiser=non-local means: the weights of ffdnet_color are absent"]
    put(nowhere, COLOR, flat(COLOR, 50))
    both = Denoiser.found()
    assert (both(bw, 15.0) == 150).all() and (both(colored, 15.0) == 50).all()
    assert both.degraded == [] and list(both.files) == [COLOR, GRAY]
    gray.unlink()
    alone = Denoiser.found()
    assert (alone(bw, 15.0) == 50).all() and alone(bw, 15.0).shape == (20, 16)
    assert alone.degraded == []
    assert len({denoiser.key, both.key, alone.key}) == 3


def test_without_weights_it_is_non_local_means(nowhere: Path) -> None:
    denoiser = Denoiser.found()
    for page in (noise(20, 16, 3), noise(20, 16)):
        assert np.array_equal(denoiser(page, 15.0), non_local_means(page, 15.0))
    assert denoiser.degraded == [ABSENT] and denoiser.files == {}


def test_another_network_in_the_file_is_refused(nowhere: Path) -> None:
    put(nowhere, COLOR, FFDNet(**PUBLISHED[GRAY]).state_dict())
    with pytest.raises(TrainingError, match=r"ffdnet_color\.safetensors does not fit") as caught:
        Denoiser.found()
    assert caught.value.action == "replace it by ffdnet_color.pth of KAIR's release"


def test_capped_pages() -> None:
    assert capped(noise(30, 20, 3), 15).shape == (15, 10, 3)
    assert capped(noise(2, 900), 30).shape == (1, 30)
    page = noise(30, 20)
    assert capped(page, 30) is page


def folder_of(tmp_path: Path, page: np.ndarray) -> FilePictures:
    save(tmp_path / "pages" / "a.png", page)
    return FilePictures("a", photo_entries(tmp_path / "pages"), tmp_path / "pages")


def test_pages_are_learnt_as_the_network_leaves_them(nowhere: Path, tmp_path: Path) -> None:
    source = folder_of(tmp_path, noise(80, 70, 3))
    options = {"crop": "centre", "flip": False, "color_shift": 0.0, "denoise_sigma": 15.0}
    without = MangaDataset(source, 64, **options)
    assert without.degraded == [ABSENT] and without.pretrained == {}
    before = without[0]["color"]
    path = put(nowhere, COLOR, flat(COLOR, 50))
    dataset = MangaDataset(source, 64, **options)
    assert dataset.degraded == [] and dataset.pretrained == {COLOR: path}
    sample = dataset[0]  # not what the cache has of the page without the network
    torch.testing.assert_close(sample["color"], torch.full((3, 64, 64), 2 * 50 / 255 - 1))
    assert len(sample["line"].unique()) == 1 < len(before.unique())
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(copy[0]["color"], sample["color"])
    assert digest(path) in dataset._denoiser.key  # type: ignore[union-attr]


def test_pages_to_be_coloured_are_denoised_at_the_releases_size(
    nowhere: Path, tmp_path: Path
) -> None:
    put(nowhere, COLOR, passing(COLOR))
    stripes = np.zeros((2400, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    for split in ("train", "val"):
        save(tmp_path / split / "a.png", stripes)
    settings = ["data.size=64", "data.denoise=true", "data.flip=false"]
    config = presets.parse("manga", settings).as_config()
    learnt, tested = (samples(config, tmp_path, split)[0]["color"] for split in ("train", "test"))
    assert learnt.abs().min() == 1  # black and white still
    assert tested.std() < 0.01  # 1200 pixels: two stripes are one grey


def test_the_run_says_what_denoised(nowhere: Path, tmp_path: Path) -> None:
    for index in range(12):
        save(tmp_path / "pages" / f"{index}.png", noise(64, 64, 3))
    settings = [
        "model.width=8", "critic.width=8", "data.size=64", "data.workers=0", "train.steps=1",
        "train.batch=1", "train.log_every=1", "model.size=compact", "loss.features=none",
    ]  # fmt: skip
    config = presets.load("manga", "without_3_5", settings).as_config()
    recipe = papers.build(config, tmp_path / "pages")
    Trainer(recipe, tmp_path / "run", device="cpu", quiet=True).fit()
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert ABSENT in facts["degraded"]
    put(nowhere, COLOR, flat(COLOR, 50))
    again = papers.build(config, tmp_path / "pages")
    assert not any(line.startswith("denoiser") for line in again.degraded)
