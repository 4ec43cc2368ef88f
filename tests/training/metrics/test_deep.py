"""Learned and perceptual distances against lpips and the formulas written out."""

from __future__ import annotations

import warnings
from importlib import import_module

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.training.needs import needs_squeezenet
from training.errors import TrainingError
from training.features import FIRST_RELUS_19, VGGFeatures
from training.metrics import LPIPS, PerceptualDistance, load_lpips, load_perceptual
from training.pretrained import load_state, resolve
from training.torchvision_shim import import_torchvision


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(2, 3, 72, 80, generator=generator) * 2 - 1
    return a, (a + 0.3 * torch.randn(a.shape, generator=generator)).clamp(-1, 1)


@pytest.mark.parametrize("network", ["alex", "squeeze", "vgg"])
def test_values_are_those_of_lpips(network: str, pair: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(1)
    import_torchvision()  # before lpips does
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lpips calls torchvision in an old way
        theirs = import_module("lpips").LPIPS(net=network, pnet_rand=True, verbose=False)
    ours = LPIPS(network)
    heads = resolve(f"lpips_{network}")
    assert heads is not None
    ours.load_heads(load_state(heads), str(heads))
    trunk = dict(zip(ours.trunk.state_dict(), theirs.net.state_dict().values(), strict=True))
    ours.trunk.load(trunk, "lpips")
    with torch.inference_mode():
        torch.testing.assert_close(ours(*pair), theirs(*pair).flatten(), rtol=1e-4, atol=1e-6)


def test_heads_of_another_network_are_refused() -> None:
    heads = resolve("lpips_squeeze")
    assert heads is not None
    with pytest.raises(TrainingError, match="no fitting weights for layer 3 of LPIPS"):
        LPIPS("vgg").load_heads(load_state(heads), str(heads))


def test_heads_of_the_wheel_and_of_the_data_folder_agree(monkeypatch, tmp_path) -> None:
    packaged = resolve("lpips_squeeze")
    if packaged is None or packaged.suffix != ".pth":
        pytest.skip("the heads of the lpips package are absent")
    monkeypatch.setattr("training.pretrained.importlib.util.find_spec", lambda _name: None)
    plain = resolve("lpips_squeeze")
    if plain is None:
        pytest.skip("the heads of the data folder are absent")
    torch.testing.assert_close(load_state(plain), load_state(packaged))


@needs_squeezenet
def test_the_trained_metric_orders_distortions(pair: tuple[Tensor, Tensor]) -> None:
    metric = load_lpips("squeeze")
    assert metric is not None
    x = functional.interpolate(pair[0][..., :9, :9], (96, 96), mode="bicubic").clamp(-1, 1)
    noise = torch.randn_like(x)
    with torch.inference_mode():
        none, little, much = (metric(x, (x + s * noise).clamp(-1, 1)) for s in (0, 0.1, 0.5))
    assert none.abs().max() < 1e-6
    assert (little > 0.001).all() and (2 * little < much).all() and (much < 2).all()


def test_absent_weights(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("NURI_DATA", str(tmp_path))
    assert load_lpips("alex") is None
    assert load_perceptual("keras") is None
    assert load_perceptual("torchvision") is None
    assert load_perceptual("squeeze") is None
    with pytest.raises(ValueError, match="caffe"):
        load_perceptual("caffe")
    with pytest.raises(ValueError, match="resnet"):
        LPIPS("resnet")


def test_perceptual_distance_is_the_mean_over_layers(pair: tuple[Tensor, Tensor]) -> None:
    features = VGGFeatures("vgg16", FIRST_RELUS_19[:2], "caffe")
    features.randomise(0)
    a, b = (functional.interpolate(p, (224, 224), mode="nearest") for p in pair)
    expected = [
        sum((x[i] - y[i]).abs().mean() for x, y in zip(features(a), features(b), strict=True)) / 2
        for i in range(2)
    ]
    torch.testing.assert_close(PerceptualDistance(features)(a, b), torch.stack(expected))
    assert PerceptualDistance(features)(*pair).shape == (2,)
