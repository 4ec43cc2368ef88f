"""Whose weights the extractor of manga pages gets, and that the run says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from backend.models.alacgan import AlacGANColorizer
from backend.models.manga import MangaColorizer
from training import papers, presets
from training.engine import Trainer, checkpoint
from training.errors import TrainingError
from training.extractor import load_extractor
from training.pretrained import Degradations

from .published import tagger

SMALL = [
    "model.width=8", "critic.width=8", "data.size=128", "data.count=4", "data.workers=0",
    "data.denoise=false", "train.steps=1", "train.batch=1", "train.log_every=1",
]  # fmt: skip


def colorizer(**options: Any) -> MangaColorizer:
    return MangaColorizer(**{"width": 4, "size": "compact", **options})


def noted(network: torch.nn.Module) -> Degradations:
    degradations = Degradations()
    load_extractor(network, degradations)
    return degradations


def test_tag2pix_is_taken_before_imagenet(nowhere: Path) -> None:
    published = tagger()
    save_file(tagger("se.fc", colours=3), nowhere / "seresnext50.safetensors")
    save_file(published, nowhere / "tag2pix.safetensors")
    network = colorizer()
    degradations = noted(network)
    found = network.extractor.net.state_dict()
    assert torch.equal(found["conv1.weight"], published["conv1.weight"])
    assert torch.equal(found["layer2.1.se.fc2.weight"], published["layer2.1.selayer.conv2.weight"])
    assert degradations.lines() == []
    assert list(degradations.used) == ["tag2pix"]


def test_imagenets_stem_is_summed_and_noted(nowhere: Path) -> None:
    published = tagger("se.fc", colours=3)
    save_file(published, nowhere / "seresnext50.safetensors")
    network = colorizer()
    degradations = noted(network)
    found = network.extractor.net.state_dict()
    torch.testing.assert_close(
        found["conv1.weight"], published["conv1.weight"].sum(1, keepdim=True)
    )
    assert torch.equal(found["layer1.0.se.fc1.bias"], published["layer1.0.se.fc1.bias"])
    assert degradations.lines() == ["extractor=seresnext50: the weights of tag2pix are absent"]
    assert list(degradations.used) == ["seresnext50"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "extractor=random: the weights of tag2pix and seresnext50 are absent"),
        ({"extractor_width": 8}, "extractor=random: it is 8 wide, published weights are 64"),
        (
            {"extractor_width": 8, "extractor_trainable": True},
            "extractor=untrained: it is 8 wide, published weights are 64",
        ),
    ],
)
def test_an_extractor_without_weights_is_noted(
    nowhere: Path, options: dict[str, Any], line: str
) -> None:
    assert noted(colorizer(**options)).lines() == [line]


def test_alacgans_extractor_is_a_stand_in(nowhere: Path) -> None:
    save_file(tagger(), nowhere / "tag2pix.safetensors")
    assert noted(AlacGANColorizer(width=8)).lines() == [
        "extractor=tag2pix: SE-ResNeXt stands in for Illustration2Vec"
    ]


def test_another_network_in_the_file_is_refused(nowhere: Path) -> None:
    save_file({"stem.weight": torch.zeros(1)}, nowhere / "tag2pix.safetensors")
    with pytest.raises(TrainingError, match=r"tag2pix\.safetensors does not fit"):
        noted(colorizer())


def build(row: str) -> Any:
    known = presets.flatten(presets.load("manga", row).config)
    settings = [setting for setting in SMALL if setting.partition("=")[0] in known]
    return papers.build(presets.load("manga", row, settings).as_config(), None)


@pytest.mark.parametrize("row", ["without_3_5", "alacgan"])
def test_a_run_without_the_weights_is_marked(row: str, nowhere: Path) -> None:
    assert any(line.startswith("extractor=random: ") for line in build(row).degraded)


def test_a_run_keeps_which_weights_it_used(nowhere: Path, tmp_path: Path) -> None:
    save_file(tagger(), nowhere / "tag2pix.safetensors")
    recipe = build("without_3_5")
    assert not any(line.startswith("extractor") for line in recipe.degraded)
    path = Trainer(recipe, tmp_path / "run", device="cpu", quiet=True).fit().checkpoint
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    (used,) = facts["pretrained"]
    assert used.startswith("tag2pix sha256:")
    assert len(used) == len("tag2pix sha256:") + 64
    assert checkpoint.load(path)["metadata"]["pretrained"] == [used]
