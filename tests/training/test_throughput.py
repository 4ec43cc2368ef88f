"""`benchmarks/throughput.py`: which presets, at which size, and that it measures."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

import backend.weights
from backend.models import architectures
from training import presets

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {
    "aaldc": "aaldc/scft_ca",
    "ibn_gan": "ibn_gan/ibn_sn_md",
    "line_extractor": "aaldc/line_extractor",
    "manga": "manga",
    "smsanet": "smsanet/full",
    "video": "video",
}


@pytest.fixture
def throughput(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("throughput")


@pytest.mark.parametrize(("name", "row"), SHIPPED.items())
def test_presets_get_the_size_that_ships(name: str, row: str, throughput: ModuleType) -> None:
    weights = Path(backend.weights.__file__).parent / f"{name}.safetensors"
    options = architectures.read_header(weights).options
    preset = presets.parse(row)
    sized = preset.with_settings(throughput.shipped(preset)).config
    for key in {"width", "blocks", "depth", "size", "extractor_width"} & options.keys():
        assert sized["model"][key] == options[key]
    assert sized["train"]["batch"] < 16
    assert sized["data"]["size"] < 256


def test_a_network_that_does_not_ship_is_as_narrow(throughput: ModuleType) -> None:
    alacgan = presets.load("manga", "alacgan")
    own = presets.load("manga")
    share = own.with_settings(throughput.shipped(own)).config["model"]["width"] / 32
    sized = alacgan.with_settings(throughput.shipped(alacgan)).config
    assert sized["model"]["width"] == 64 * share
    assert sized["model"]["name"] == "alacgan"


def test_every_kind_of_step_is_measured_once(throughput: ModuleType) -> None:
    names = [f"{preset.paper}/{preset.row}" for preset in throughput.every_step()]
    assert len(set(names)) == len(names)
    assert {name.partition("/")[0] for name in names} == set(presets.papers())
    assert {"aaldc/scft", "manga/alacgan", "video/ardsc", "smsanet/cbam"} <= set(names)
    assert "aaldc/scft_holdout" not in names


def test_both_precisions_are_measured(
    throughput: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ["model.width=2", "data.size=32", "data.workers=0", "train.batch=1"]
    (row,) = throughput.measure_training(["aaldc/line_extractor"], 3, tiny)
    assert (row.side, row.batch) == (32, 1)
    assert row.fp32 > 0 and row.bf16 > 0 and row.spread >= 0
    assert "1 of 1, aaldc/line_extractor: fp32" in capsys.readouterr().err
    throughput.show_training([row])
    printed = capsys.readouterr().out
    assert "aaldc/line_extractor" in printed
    assert f"{row.bf16 / row.fp32:.2f}" in printed


def test_the_warm_up_does_not_count(throughput: ModuleType) -> None:
    tiny = ["model.width=2", "data.size=32", "data.workers=0", "train.batch=1"]
    sized = presets.parse("smsanet/basenet").with_settings([*tiny, "train.log_every=1"])
    sized = sized.with_settings(["train.scratch_steps=0", "data.count=8", "data.crop=false"])
    _, rates, without = throughput._measured(
        sized.with_settings([f"train.steps={throughput.WARM_UP + 4}"])
    )
    assert len(rates) == 4  # also of a row that the paper does not train
    assert all("=" in line for line in without)
    assert throughput._spread([2.0, 4.0, 5.0, 4.0, 4.0]) == 0
    assert throughput._spread([2.0, 2.0, 4.0, 4.0, 4.0]) == 0.5
