"""Metrics over a data set, and what is said where one cannot be measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.needs import needs_squeezenet
from training.errors import TrainingError
from training.metrics import Evaluator, psnr
from training.pretrained import Degradations


def pictures(count: int, seed: int, side: int = 48) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 3, side, side)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@pytest.fixture
def without_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("NURI_PRETRAINED", "NURI_DATA", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))


def test_the_mean_is_over_pictures_not_over_batches() -> None:
    evaluator = Evaluator(["psnr"])
    ours, truth = pictures(5, 0), pictures(5, 1)
    ours[0] = truth[0] // 2
    evaluator.update(ours[:1], truth[:1])
    evaluator.update(ours[1:], truth[1:])
    value = evaluator.compute()["psnr"]
    assert value.count == 5
    assert value.value == pytest.approx(float(psnr(ours, truth).mean()))


@pytest.mark.usefixtures("without_networks")
def test_absent_networks_are_told_and_never_a_number() -> None:
    degradations = Degradations()
    names = ["psnr", "lpips", "fid", "perceptual"]
    evaluator = Evaluator(names, degradations=degradations, stand_ins=False)
    evaluator.update(pictures(2, 0), pictures(2, 1))
    values = evaluator.compute()
    assert set(values) == set(names)
    for name in names[1:]:
        assert values[name].value is None
        assert "absent" in values[name].reason
        assert degradations.states[name] == "unavailable"
    assert values["psnr"].value is not None


@pytest.mark.usefixtures("without_networks")
def test_the_last_stand_in_needs_no_file() -> None:
    evaluator = Evaluator(["perceptual"])
    evaluator.update(pictures(1, 0, 32), pictures(1, 1, 32))
    values = evaluator.compute()
    assert values["perceptual"].value is None
    assert (values["perceptual_random"].value or 0) > 0


@needs_squeezenet
def test_stand_ins_have_names_of_their_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    degradations = Degradations()
    evaluator = Evaluator(["lpips", "fid", "lpips_squeeze"], degradations=degradations)
    for seed in range(2):
        evaluator.update(pictures(3, seed), pictures(3, seed + 9))
    values = evaluator.compute()
    assert {name for name, value in values.items() if value.value is not None} == {
        "lpips_squeeze",
        "fid_squeeze",
    }
    assert values["fid_squeeze"].count == 6
    assert "squeezenet1_1" in degradations.used


def test_small_pictures_make_ms_ssim_unavailable() -> None:
    evaluator = Evaluator(["ms_ssim", "ssim"])
    evaluator.update(pictures(1, 0), pictures(1, 1))
    values = evaluator.compute()
    assert values["ms_ssim"].value is None and "160" in values["ms_ssim"].reason
    assert values["ssim"].value is not None


def test_nothing_measured_is_unavailable() -> None:
    values = Evaluator(["psnr", "region_accuracy"]).compute()
    assert values["psnr"].reason == "no pictures"
    assert values["region_accuracy"].value is None


def test_regions_are_the_mean_over_pictures() -> None:
    evaluator = Evaluator(["region_accuracy"])
    truth = pictures(2, 0)
    regions = torch.ones(2, 48, 48, dtype=torch.int32)
    regions[:, :, 24:] = 2
    ours = truth.clone()
    ours[0, :, :, 24:] = 0
    evaluator.update(ours, truth, regions)
    evaluator.update(ours, truth)  # without regions: left out
    values = evaluator.compute()
    assert values["region_accuracy"].value == pytest.approx(0.75)
    assert values["region_accuracy"].count == 2
    assert values["regions_exact"].value == pytest.approx(0.75)


@needs_squeezenet
def test_fid_may_compare_with_other_pictures() -> None:
    truth, reference = pictures(4, 0), pictures(4, 1)
    values = []
    for other in (None, reference):
        evaluator = Evaluator(["fid_squeeze"])
        evaluator.update(truth, truth, fid_reference=other)
        values.append(evaluator.compute()["fid_squeeze"].value)
    assert values[0] == pytest.approx(0, abs=1e-3)
    assert values[1] is not None and values[1] > 1


@needs_squeezenet
def test_values_do_not_depend_on_the_precision_of_training() -> None:
    values = []
    for enabled in (False, True):
        evaluator = Evaluator(["ssim", "lpips_squeeze"])
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            evaluator.update(pictures(2, 0), pictures(2, 1))
        values.append({name: value.value for name, value in evaluator.compute().items()})
    assert values[0] == values[1]


def test_wrong_uses() -> None:
    with pytest.raises(TrainingError, match="'psrn'"):
        Evaluator(["psrn"])
    with pytest.raises(TrainingError, match="'tensorflow'"):
        Evaluator(["perceptual"], perceptual_backend="tensorflow")
    evaluator = Evaluator(["psnr"])
    with pytest.raises(TypeError, match="8-bit"):
        evaluator.update(pictures(1, 0) / 255, pictures(1, 0) / 255)
    with pytest.raises(ValueError, match=r"targets \(2, 3"):
        evaluator.update(pictures(1, 0), pictures(2, 0))
