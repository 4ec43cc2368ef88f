from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from backend.models.ibn_gan import ChromaUNet
from tests.backend.models.counting import parameters_of


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "batch", "spectral": False},
        {"norm": "batch"},
        {"norm": "instance", "spectral": False},
        {"norm": "instance"},
        {"norm": "ibn"},
        {"norm": "ibn", "ibn_mode": "split"},
    ],
)
def test_parameters_equal_the_papers(options):
    assert parameters_of(lambda: ChromaUNet(**options)) == 41_830_402


def test_parameters_with_the_instance_norm_of_the_release():
    assert parameters_of(lambda: ChromaUNet(norm="instance", in_scope="sample")) == 41_821_594


def test_spectral_norm_is_on_all_fourteen_convolutions():
    model = ChromaUNet(width=4)
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 14
    assert all(parametrize.is_parametrized(m) for m in convolutions)
    plain = ChromaUNet(width=4, spectral=False)
    assert not any(parametrize.is_parametrized(m) for m in plain.modules())


def test_no_norm_on_the_input_layer_and_the_output():
    model = ChromaUNet(width=4)
    assert isinstance(model.encoders[0].norm, nn.Identity)
    assert isinstance(model.exit.block.norm, nn.Identity)
    assert all(not isinstance(e.norm, nn.Identity) for e in model.encoders[1:])


def norms(model):
    layers = [*model.encoders[1:], *(d.block for d in model.decoders)]
    return [type(layer.norm).__name__ for layer in layers]


def test_ibn_in_its_three_readings():
    batch, instance = "BatchNorm2d", "InstanceNorm"
    mixed, both = "InstanceBatchNorm", "Sequential"
    assert norms(ChromaUNet(width=4)) == [batch] * 11 + [instance]
    split = norms(ChromaUNet(width=4, ibn_mode="split"))
    assert split == [mixed] * 2 + [batch] * 8 + [mixed] * 2
    sequential = norms(ChromaUNet(width=4, ibn_mode="sequential"))
    assert sequential == [both] * 2 + [batch] * 8 + [both] * 2
    assert norms(ChromaUNet(width=4, norm="none")) == ["Identity"] * 12


def test_constants_of_keras():
    model = ChromaUNet(width=4, norm="batch")
    found = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(m.eps == 1e-3 and m.momentum == 0.01 for m in found)
    assert all((m.bias == 0).all() for m in model.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize("size", [(128, 128), (130, 65)])
def test_shape_and_range(size):
    model = ChromaUNet(width=4).eval()
    with torch.inference_mode():
        main = model(torch.rand(2, 1, *size) * 2 - 1).main
    assert main.shape == (2, 2, *size)
    assert main.abs().max() <= 1


def test_a_shallower_network_takes_smaller_pictures():
    model = ChromaUNet(width=4, depth=4)
    assert len(model.encoders) == 4
    assert model(torch.rand(2, 1, 32, 32)).main.shape == (2, 2, 32, 32)


def test_every_parameter_learns():
    model = ChromaUNet(width=4, depth=4, ibn_mode="split")
    model(torch.rand(2, 1, 32, 32)).main.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "group"},
        {"ibn_mode": "both"},
        {"in_scope": "picture"},
        {"depth": 1},
        {"in_scope": "sample", "ibn_mode": "split"},
    ],
)
def test_wrong_options_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ChromaUNet(width=4, **options)


def test_options_rebuild_the_network():
    model = ChromaUNet(width=4, norm="instance", depth=5)
    again = ChromaUNet(**model.options)
    again.load_state_dict(model.state_dict())
    assert again.options == model.options


def test_spectral_norm_starts_at_its_true_size():
    for layer in (m for m in ChromaUNet(width=4).eval().modules() if isinstance(m, nn.Conv2d)):
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=0.15)
