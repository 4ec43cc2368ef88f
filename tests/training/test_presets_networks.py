"""Every preset names networks, critics and options that exist, at the specs' sizes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from backend.models import architectures
from training import papers, presets
from training.critics import named_critic
from training.papers.video import model_table
from training.presets.configuration import flatten
from training.reproduce.budget import parse_budget, reduced

pytestmark = pytest.mark.slow

ALL = [(paper, row) for paper in presets.papers() for row in presets.rows(paper)]
GENERATORS = {
    ("aaldc", "full"): 83_952_507,
    ("aaldc", "sga"): 83_906_899,
    ("aaldc", "scft"): 82_913_907,
    ("aaldc", "scft_ca"): 82_963_483,
    ("aaldc", "line_extractor"): 7_849_601,
    ("ibn_gan", "bn"): 41_830_402,
    ("ibn_gan", "ibn_sn"): 41_830_402,
    ("video", "full"): 19_802_409,
    ("video", "ardsc"): 82_913_907,
    ("smsanet", "basenet"): 34_049_346,
    ("smsanet", "full"): 34_182_834,
    ("manga", "without_5"): 32_015_314,
    ("manga", "release"): 31_808_154,
    ("manga", "alacgan"): 21_936_003,
}
CRITICS = {
    ("aaldc", "full"): 175_584,
    ("ibn_gan", "ibn_sn"): 2_766_529,
    ("ibn_gan", "ibn_sn_md"): 8_299_587,
    ("video", "full"): 2_765_761,
    ("video", "ardsc"): 175_584,
    ("manga", "without_5"): 2_007_033,
    ("manga", "alacgan"): 10_612_033,
}


def network(table: dict[str, Any]) -> nn.Module:
    return _network(json.dumps(model_table(table) if "mask_channels" in table else table))


def critic(table: dict[str, Any]) -> nn.Module:
    return _critic(json.dumps(table))


@cache  # rows share tables, and spectral norm is slow to set up
def _network(table: str) -> nn.Module:
    options = json.loads(table)
    with torch.device("meta"):
        return architectures.build(options.pop("name"), options)


@cache
def _critic(table: str) -> nn.Module:
    options = json.loads(table)
    with torch.device("meta"):
        return named_critic(options.pop("form"), options)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


@pytest.mark.parametrize(("paper", "row"), ALL)
def test_every_preset_builds_its_networks(paper: str, row: str) -> None:
    config = presets.load(paper, row).config
    generator = network(config["model"])
    if (paper, row) in GENERATORS:
        assert count(generator) == GENERATORS[paper, row]
    if config.get("critic", {}).get("form", "none") != "none":
        judge = critic(config["critic"])
        assert count(judge) == CRITICS.get((paper, row), count(judge))
    if "refine" in config:
        refiner = network(config["refine"]["model"])
        assert count(refiner) == 7_522_370


@pytest.mark.parametrize("paper", presets.papers())
def test_presets_name_every_option_of_their_network(paper: str) -> None:
    """So that each can be set from outside, and carries a source."""
    config = presets.load(paper).config
    options = dict(network(config["model"]).options)  # type: ignore[arg-type]
    assert set(options) == set(config["model"]) - {"name"}


@pytest.mark.parametrize("budget", ["smoke", "20min", "6h"])
@pytest.mark.parametrize("paper", presets.papers())
def test_reduced_rows_build_too(paper: str, budget: str) -> None:
    for row in {row.preset: row for t in presets.tables(paper) for row in t.reproducible}:
        preset = reduced(presets.load(paper, row), parse_budget(budget))
        assert count(network(preset.config["model"])) > 0
        assert set(papers.stages(preset.as_config())) <= {"main", "refine", "finetune"}
        assert flatten(preset.config)["train.batch"] >= 1
