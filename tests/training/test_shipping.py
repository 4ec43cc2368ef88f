"""From a run or a file to a folder of weights that the store loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.models import architectures
from backend.models.line_extractor import LineExtractor
from backend.tasks.greyscale import colour_grey
from backend.weights import manifest, store
from training.cli import main

SAID = [
    "--licence",
    "CC BY-SA 4.0",
    "--data",
    "A by B",
    "C by D",
    "--command",
    "nuri-train train x",
]
SMALL = [
    "--set", "model.width=2", "--set", "critic.width=4", "--set", "data.size=64",
    "--set", "data.count=4", "--set", "data.workers=0", "--set", "train.batch=2",
    "--set", "eval.limit=2", "--device", "cpu", "--quiet", "--set", "train.steps=1",
]  # fmt: skip


def test_a_run_becomes_weights_that_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, shelf = tmp_path / "run", tmp_path / "shelf"
    assert main(["train", "aaldc/sga", "-o", str(run), *SMALL]) == 0
    figures = {"count": 2, "metrics": {"psnr": 20.123456, "fid": None}}
    (run / "evaluation.json").write_text(json.dumps(figures))
    assert main(["ship", str(run), "--id", "aaldc", "--into", str(shelf), *SAID]) == 0
    entry = manifest.read(shelf)["aaldc"]
    assert entry.network == "aaldc" and entry.figures == {"psnr": 20.1235}
    assert entry.data == ("A by B", "C by D")
    card = (shelf / "aaldc.md").read_text()
    assert "nuri-train train x" in card and "| psnr | 20.1235 |" in card and "- A by B" in card
    assert sorted(path.name for path in shelf.iterdir()) == [
        "aaldc.md", "aaldc.safetensors", "manifest.toml",
    ]  # fmt: skip
    header = architectures.read_header(shelf / "aaldc.safetensors")
    assert header.extra["steps"] == 1 and "data" not in header.extra
    monkeypatch.setenv(store.OVERRIDE, str(shelf))
    store.release()
    output = store.load("aaldc")(torch.zeros(1, 1, 32, 32), torch.zeros(1, 3, 32, 32))
    assert output.main.shape == (1, 3, 32, 32)


def test_grey_paintings_are_shown_at_the_size_that_a_run_was_trained_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, shelf = tmp_path / "run", tmp_path / "shelf"
    assert main(["train", "ibn_gan", "-o", str(run), *SMALL, "--set", "model.depth=4"]) == 0
    assert main(["ship", str(run), "--id", "ibn_gan", "--into", str(shelf), *SAID]) == 0
    assert "- data.size: 64" in (shelf / "ibn_gan.md").read_text()
    monkeypatch.setenv(store.OVERRIDE, str(shelf))
    store.release()
    shapes = []
    network = store.load("ibn_gan", rounded=True)
    network.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    picture = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    assert colour_grey(picture).shape == (480, 640, 3)
    assert shapes == [(1, 1, 48, 80)]  # 64 squared pixels, in multiples of 16
    store.release()


def test_a_card_shows_the_pictures_that_are_there(tmp_path: Path) -> None:
    source, shelf = tmp_path / "lines.safetensors", tmp_path / "backend" / "weights"
    architectures.save_model(source, LineExtractor(width=2), {"steps": 7})
    pictures = tmp_path / "docs" / "models"
    pictures.mkdir(parents=True)
    (pictures / "seen.jpg").touch()
    for name, said in (("seen", True), ("unseen", False)):
        assert main(["ship", str(source), "--id", name, "--into", str(shelf), *SAID]) == 0
        card = (shelf / f"{name}.md").read_text()
        assert (f"](../../docs/models/{name}.jpg)" in card) == said


def test_a_file_is_halved_and_replaces_the_one_before(tmp_path: Path) -> None:
    source, shelf = tmp_path / "lines.safetensors", tmp_path / "shelf"
    for width in (2, 3):
        architectures.save_model(source, LineExtractor(width=width), {"steps": 7})
        notes = tmp_path / "notes.md"
        notes.write_text("## What it is for\n\nOutlines.\n")
        call = ["ship", str(source), "--id", "line_extractor", "--into", str(shelf), *SAID]
        assert main([*call, "--notes", str(notes)]) == 0
    shipped = shelf / "line_extractor.safetensors"
    assert shipped.stat().st_size < 0.6 * source.stat().st_size
    header = architectures.read_header(shipped)
    assert header.options["width"] == 3 and header.extra == {"steps": 7}
    assert list(manifest.read(shelf)) == ["line_extractor"]
    card = (shelf / "line_extractor.md").read_text()
    assert "Not measured yet." in card and card.endswith("## What it is for\n\nOutlines.\n")


def test_what_cannot_travel_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "lines.safetensors"
    call = ["ship", str(source), "--id", "lines", "--into", str(tmp_path / "shelf"), *SAID]
    source.write_bytes(b"no weights")
    assert main(call) == 1
    assert "lines.safetensors" in capsys.readouterr().err
    architectures.save_model(source, LineExtractor(width=2))
    monkeypatch.setattr(manifest, "LARGEST", 1000)
    assert main(call) == 1
    assert "more than 1,000" in capsys.readouterr().err
    assert list((tmp_path / "shelf").iterdir()) == []


def test_export_in_half(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["train", "aaldc/sga", "-o", str(run), *SMALL]) == 0
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    assert main(["export", str(run), "-o", str(whole)]) == 0
    assert main(["export", str(run), "-o", str(half), "--half"]) == 0
    first, second = architectures.load_model(whole), architectures.load_model(half)
    for key, value in first.state_dict().items():
        wanted = value.half().float() if value.is_floating_point() else value
        assert torch.equal(wanted, second.state_dict()[key])


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "/tmp/x", "c:x", "..", ""])
def test_an_id_that_leads_elsewhere_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source, shelf = tmp_path / "lines.safetensors", tmp_path / "below" / "shelf"
    architectures.save_model(source, LineExtractor(width=2), {"steps": 7})
    assert main(["ship", str(source), "--id", name, "--into", str(shelf), *SAID]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is no name for weights" in said
    assert [path.name for path in tmp_path.iterdir()] == ["lines.safetensors"]
