"""The saliency network and the choice of a source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from training.errors import TrainingError
from training.losses import ClassicalSaliency, PFANet, load_saliency
from training.pretrained import Degradations


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("NURI_PRETRAINED", "NURI_DATA", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


def test_parameters_are_those_of_the_table() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in PFANet().parameters()) == 16_381_607


def test_any_size_and_full_resolution() -> None:
    with torch.inference_mode():
        saliency = PFANet().eval()(torch.rand(1, 3, 50, 66))
    assert saliency.shape == (1, 1, 50, 66)
    assert saliency.min() > 0 and saliency.max() < 1 and saliency.std() > 0


def test_maps_are_enlarged_corner_to_corner_as_in_the_port() -> None:
    network = PFANet().eval()
    small, seen = torch.rand(1, 64, 16, 16), []
    network.high.register_forward_hook(lambda *_: small)
    network.out.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, 64:]))
    with torch.inference_mode():
        network(torch.rand(1, 3, 64, 64))
    expected = np.interp(np.linspace(0, 15, 64), np.arange(16), small[0, 0, 0].numpy())
    np.testing.assert_allclose(seen[0][0, 0, 0].numpy(), expected, atol=1e-5)


def test_without_weights_the_classical_map_is_used_and_noted(folder: Path) -> None:
    degradations = Degradations()
    assert isinstance(load_saliency(degradations), ClassicalSaliency)
    assert degradations.states == {"saliency": "classical"}


def test_weights_that_are_there_are_used_frozen(folder: Path) -> None:
    source = PFANet()
    save_file(source.state_dict(), folder / "pfanet.safetensors")
    degradations = Degradations()
    network = load_saliency(degradations)
    assert isinstance(network, PFANet) and not network.training
    assert not any(p.requires_grad for p in network.parameters())
    torch.testing.assert_close(network.out.weight, source.out.weight, check_stride=False)
    assert degradations.lines() == [] and "pfanet" in degradations.used


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    save_file({"a": torch.ones(1)}, folder / "pfanet.safetensors")
    with pytest.raises(TrainingError, match="does not fit PFANet"):
        load_saliency(Degradations())
