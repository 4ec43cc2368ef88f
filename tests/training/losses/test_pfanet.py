"""The saliency network and the choice of a source."""

from __future__ import annotations

from pathlib import Path

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
