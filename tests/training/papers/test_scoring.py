"""What an evaluation looks at: a seeded choice, without the pictures that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from training import papers, presets
from training.commands.prepare import prepare
from training.data import SampleDataset
from training.features import SqueezeNetFeatures
from training.papers import sources
from training.papers.scoring import Examination
from training.pretrained import Degradations, digest

SETTINGS = ["data.size=64", "data.count=12", "model.width=4", "data.workers=0", "eval.pictures=1"]
TRAINED_WITH = [*SETTINGS, "critic.width=2", "loss.features=squeezenet"]
BROKEN = b"\x89PNG\r\n\x1a\n no"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


def photos(folder: Path, train: int, held_out: int) -> Path:
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", held_out)):
        for number in range(count):
            path = folder / split / f"{split}{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(path)
    return folder


def examined(
    data: Path | None, folder: Path, *settings: str
) -> tuple[Examination, SampleDataset, Degradations]:
    config = presets.parse("smsanet", [*SETTINGS, *settings]).as_config()
    degradations = Degradations()
    examination = Examination(config, folder / "out", "cpu", degradations)
    return examination, sources.samples(config, data, "test"), degradations


def test_the_choice_follows_from_the_seed(tmp_path: Path) -> None:
    def chosen(seed: int, limit: int) -> list[int]:
        examination, dataset, _ = examined(
            None, tmp_path, f"eval.seed={seed}", f"eval.limit={limit}"
        )
        return examination.choose(dataset)

    assert chosen(0, 5) == chosen(0, 5) != chosen(1, 5)
    assert chosen(0, 5) != list(range(5)) and len(set(chosen(0, 5))) == 5
    assert chosen(0, 0) == chosen(0, 99) == list(range(12))


def test_the_choice_is_written_down_and_read_back(tmp_path: Path) -> None:
    data = photos(tmp_path / "d", 1, 9)
    settings = [*SETTINGS, "eval.metrics=psnr"]
    config = presets.parse("smsanet", [*settings, "eval.limit=3", "eval.seed=5"]).as_config()
    papers.evaluate(config, data, None, tmp_path / "out", "cpu")
    written = tmp_path / "out" / "pictures.txt"
    examination, dataset, _ = examined(data, tmp_path, f"eval.list={written}", "eval.limit=0")
    names = [dataset[index]["name"] for index in examination.choose(dataset)]
    assert len(names) == 3 and names != ["val00", "val01", "val02"]
    assert names == written.read_text(encoding="utf-8").split()


def test_ibn_gan_is_trained_on_val_and_tested_on_train(tmp_path: Path) -> None:
    config = presets.parse("ibn_gan", ["data.size=64", "model.depth=4"]).as_config()
    data = photos(tmp_path / "d", 3, 5)
    assert len(sources.samples(config, data, "train")) == 5
    assert len(sources.samples(config, data, "test")) == 3


def test_what_cannot_be_read_is_left_out_and_not_replaced(tmp_path: Path) -> None:
    data = photos(tmp_path / "d", 1, 6)
    for number in (1, 4):
        (data / "val" / f"val{number:02d}.png").write_bytes(BROKEN)
    examination, dataset, degradations = examined(data, tmp_path, "eval.limit=0")
    chosen = examination.choose(dataset)
    assert chosen == [0, 2, 3, 5]
    (line,) = degradations.lines()
    assert line.startswith("samples of d=2 left out: ")
    assert "val01.png" in line and "val04.png" in line
    names = [name for batch in examination.batches(dataset, chosen) for name in batch["name"]]
    assert len(names) == len(set(names)) == 4
    examination, dataset, _ = examined(data, tmp_path, "eval.limit=4")
    assert examination.choose(dataset) == [0, 2, 3, 5]  # four that can be read


def test_an_evaluation_counts_what_it_measured(tmp_path: Path) -> None:
    data = photos(tmp_path / "d", 1, 4)
    (data / "val" / "val02.png").write_bytes(BROKEN)
    config = presets.parse("smsanet", [*SETTINGS, "eval.metrics=psnr"]).as_config()
    result = papers.evaluate(config, data, None, tmp_path / "out", "cpu")
    assert result.count == 3
    assert any("val02.png" in line for line in result.degraded)


def test_an_evaluation_names_the_weights_of_its_metrics(nowhere: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = nowhere / "squeezenet1_1.safetensors"
    save_file(SqueezeNetFeatures().state_dict(), path)
    settings = ["model.width=2", "critic.width=2", "data.size=64", "data.count=3", "eval.limit=2"]
    config = presets.parse("aaldc/sga", [*settings, "data.workers=0"]).as_config()
    facts = papers.evaluate(config, None, None, tmp_path / "out", "cpu").as_facts()
    names = [line.partition(" sha256:")[0] for line in facts["pretrained"]]
    assert sorted(names) == ["lpips_squeeze", "squeezenet1_1"]
    assert f"squeezenet1_1 sha256:{digest(path)}" in facts["pretrained"]
    assert {"lpips", "fid"} <= {line.partition("=")[0] for line in facts["degraded"]}
    few = "fid_squeeze of 2 pictures=uncertain: below 512 the covariance is singular"
    assert few in facts["degraded"]
    recorded = papers.build(presets.parse("aaldc/sga", TRAINED_WITH).as_config(), None).pretrained
    assert recorded == [f"squeezenet1_1 sha256:{digest(path)}"]  # the names of run.json


def test_an_evaluation_names_what_its_samples_went_without(tmp_path: Path) -> None:
    data = tmp_path / "d"
    picture = Image.fromarray(np.full((16, 16, 3), 200, np.uint8))
    for path in (data / "color" / "a.png", data / "color" / "b.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    settings = [*SETTINGS, "data.lines=file", "eval.metrics=psnr"]
    config = presets.parse("aaldc", settings).as_config()
    result = papers.evaluate(config, data, None, tmp_path / "out", "cpu")
    assert [line for line in result.degraded if line.startswith("lines=xdog: ")]
    drawn = presets.parse("aaldc", [*SETTINGS, "eval.metrics=psnr"]).as_config()
    assert papers.evaluate(drawn, None, None, tmp_path / "out", "cpu").degraded == []


def test_prepare_counts_what_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from argparse import Namespace

    data = photos(tmp_path / "d", 9, 1)
    for number in (3, 7):
        (data / "train" / f"train{number:02d}.png").write_bytes(BROKEN)
    prepare(Namespace(preset="smsanet", settings=SETTINGS, data=data))
    lines = capsys.readouterr().out.splitlines()
    assert all(any(f"train{name}.png" in line for line in lines) for name in ("03", "07"))
    assert "train: 7 samples are good, 2 are left out" in lines
    assert "test: 1 samples are good" in lines
