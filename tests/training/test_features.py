"""Feature networks: torchvision's keys and values, input scales, and the offline rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.training.needs import needs_squeezenet
from training.errors import TrainingError
from training.features import (
    FIRST_RELUS_19,
    LAST_RELUS_19,
    AlexNetFeatures,
    SqueezeNetFeatures,
    VGGFeatures,
    load_features,
)
from training.pretrained import Degradations
from training.torchvision_shim import import_torchvision


def test_parameters_of_the_trunks() -> None:
    with torch.device("meta"):
        vgg19 = VGGFeatures("vgg19", LAST_RELUS_19)
        vgg16 = VGGFeatures("vgg16", ("relu2_2",))
    assert sum(p.numel() for p in vgg19.parameters()) == 20_024_384
    assert sum(p.numel() for p in vgg16.parameters()) == 260_160
    assert not any(p.requires_grad for p in vgg16.parameters())


@pytest.mark.parametrize(
    ("arch", "taps", "indices"),
    [
        ("vgg19", LAST_RELUS_19, (3, 8, 17, 26, 35)),
        ("vgg19", FIRST_RELUS_19, (1, 6, 11, 20, 29)),
        ("vgg16", ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"), (3, 8, 15, 22, 29)),
    ],
)
def test_taps_are_the_named_layers(arch: str, taps: tuple[str, ...], indices: tuple) -> None:
    with torch.device("meta"):
        assert VGGFeatures(arch, taps).tap_indices == indices


@pytest.mark.parametrize("arch", ["vgg16", "squeezenet1_1", "alexnet"])
def test_values_are_those_of_torchvision(arch: str) -> None:
    torch.manual_seed(0)
    theirs = getattr(import_torchvision().models, arch)(weights=None).features.eval()
    ours = {
        "vgg16": lambda: VGGFeatures("vgg16", ("relu1_2", "relu3_3"), "raw"),
        "squeezenet1_1": lambda: SqueezeNetFeatures(input_mode="raw"),
        "alexnet": lambda: AlexNetFeatures(input_mode="raw"),
    }[arch]()
    ours.load(theirs.state_dict(prefix="features."), arch)
    x = torch.randn(1, 3, 67, 70)
    for index, tap in zip(ours.tap_indices, ours(x), strict=True):
        torch.testing.assert_close(tap, theirs[: index + 1](x))


def test_input_scales() -> None:
    image = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    seen = {
        mode: VGGFeatures("vgg16", ("relu1_1",), mode).prepare(image).flatten().tolist()
        for mode in ("raw", "unit", "imagenet", "caffe")
    }
    assert seen["raw"] == [1, 0, -1]
    assert seen["unit"] == [1, 0.5, 0]
    expected = [(1 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0 - 0.406) / 0.225]
    assert seen["imagenet"] == pytest.approx(expected)
    assert seen["caffe"] == pytest.approx([0 - 103.939, 127.5 - 116.779, 255 - 123.68])


def test_frozen_but_open_to_the_gradient_of_its_input() -> None:
    network = VGGFeatures("vgg16", ("relu1_2",))
    x = torch.rand(1, 3, 8, 8, requires_grad=True)
    network.train()
    assert not network.training
    network(x)[0].sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="relu2_3"):
        VGGFeatures("vgg16", ("relu2_3",))
    with pytest.raises(ValueError, match="vgg11"):
        VGGFeatures("vgg11", ("relu1_1",))
    with pytest.raises(ValueError, match="input_mode"):
        VGGFeatures("vgg16", ("relu1_1",), "bgr")
    with pytest.raises(ValueError, match="empty"):
        VGGFeatures("vgg16", ())
    with pytest.raises(ValueError, match="offline"):
        load_features("vgg16", ("relu1_1",), offline="guess", degradations=Degradations())


@pytest.fixture
def without_vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


def test_weights_that_are_there_are_used(without_vgg: Path) -> None:
    source = VGGFeatures("vgg16", ("relu2_2",))
    source.randomise(5)
    state = {**source.state_dict(), "classifier.0.weight": torch.ones(2)}
    save_file(state, without_vgg / "vgg16.safetensors")
    degradations = Degradations()
    network = load_features("vgg16", ("relu2_2",), degradations=degradations)
    assert network is not None
    x = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(network(x), source(x))
    assert degradations.lines() == []
    assert list(degradations.used) == ["vgg16"]
    with pytest.raises(TrainingError, match=r"features\.7\.weight"):
        network.load({k: v for k, v in state.items() if "7" not in k}, "a file")


def test_offline_rule_none(without_vgg: Path) -> None:
    degradations = Degradations()
    terms = ("perceptual", "style")
    assert load_features("vgg19", FIRST_RELUS_19, degradations=degradations, terms=terms) is None
    assert degradations.states == {"perceptual": "none", "style": "none"}


def test_offline_rule_random_is_seeded(without_vgg: Path) -> None:
    degradations = Degradations()
    first, again, other = (
        load_features("vgg16", ("relu2_2",), offline="random", degradations=degradations, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first is not None and again is not None and other is not None
    x = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(first(x), again(x))
    assert not torch.allclose(first(x)[0], other(x)[0])
    assert degradations.states == {"perceptual": "random"}


@needs_squeezenet
def test_offline_rule_squeezenet_stands_in_at_the_same_depths(without_vgg: Path) -> None:
    degradations = Degradations()
    network = load_features(
        "vgg19", LAST_RELUS_19, input_mode="raw", offline="squeezenet", degradations=degradations
    )
    assert network is not None and network.input_mode == "imagenet"
    maps = network(torch.rand(1, 3, 64, 64))
    assert [m.shape[1] for m in maps] == [64, 128, 256, 384, 512]
    assert degradations.states == {"perceptual": "squeezenet"}
    assert "squeezenet1_1" in degradations.used


def test_offline_rule_squeezenet_absent_too(
    without_vgg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NURI_DATA", str(without_vgg))
    degradations = Degradations()
    network = load_features("vgg16", ("relu2_2",), offline="squeezenet", degradations=degradations)
    assert network is None
    assert degradations.states == {"perceptual": "none"}
