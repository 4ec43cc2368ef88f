"""`nuri-train style`: what it learns from, what it measures on, what it writes and refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.models.architectures import load_model, read_header
from backend.models.matching import RegionMatcher
from backend.weights import store, styles
from tests.backend import figures
from tests.backend.weights.shelf import put_model
from training.cli import main
from training.errors import TrainingError
from training.matching import style
from training.matching.style_frames import plan_lesson


@pytest.fixture(autouse=True)
def weights(tmp_path, monkeypatch) -> Path:
    """A tiny matcher in the place of the shipped one."""
    folder = tmp_path / "weights"
    torch.manual_seed(0)
    put_model(folder, "matching", RegionMatcher(width=4, dim=16, heads=2, layers=1))
    monkeypatch.setenv("NURI_WEIGHTS", str(folder))
    return folder / "matching.safetensors"


def shot(folder: Path, frames: int, *, turn: bool = False) -> Path:
    """Frames of a face; ``turn`` gives it other paints."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(frames):
        line, color, _ = figures.face(192, smile=0.01 * number)
        Image.fromarray(line).save(folder / f"line_{number:04}.png")
        Image.fromarray(color[..., ::-1] if turn else color).save(folder / f"color_{number:04}.png")
    return folder


def plan(folder: Path, tmp_path: Path, **options: Path):
    said: list[str] = []
    return plan_lesson(folder, tmp_path / "cache", said.append, **options), said


def test_held_frames_are_not_among_those_trained_on(tmp_path):
    lesson, _ = plan(shot(tmp_path / "shot", 11), tmp_path)
    trained = {frame for subject in lesson.subjects for frame in subject.drawings}
    held = {frame for frame, _ in lesson.asked}
    assert (len(trained), len(held)) == (9, 2)
    assert not trained & held
    assert {reference for _, reference in lesson.asked} <= trained


def test_shots_of_one_character_are_one_subject(tmp_path):
    shot(tmp_path / "shots" / "run", 2)
    shot(tmp_path / "shots" / "walk", 2)
    other = shot(tmp_path / "shots" / "zebra", 2, turn=True)
    lesson, _ = plan(tmp_path / "shots", tmp_path)
    assert sorted(len(subject.drawings) for subject in lesson.subjects) == [1, 3]
    for frame, reference in lesson.asked:
        assert (frame[0].parent == other) == (reference[0].parent == other)


def test_another_folder_is_measured_on(tmp_path):
    frames, check = shot(tmp_path / "frames", 3), shot(tmp_path / "check", 2)
    lesson, _ = plan(frames, tmp_path, check=check)
    assert (lesson.frames, lesson.held) == (3, 2)
    with pytest.raises(TrainingError, match="would be trained on"):
        plan(frames, tmp_path, check=frames)
    with pytest.raises(TrainingError, match="whose character is among the others"):
        plan(frames, tmp_path, check=shot(tmp_path / "zebra", 2, turn=True))


@pytest.mark.parametrize("frames", [0, 1])
def test_too_little_is_refused(tmp_path, capsys, frames):
    folder, output = shot(tmp_path / "shot", frames), tmp_path / "new.safetensors"
    assert main(["style", str(folder), "-o", str(output), "--steps", "1"]) == 1
    error = capsys.readouterr().err
    assert f"has {frames} coloured frame(s)" in error and error.count("\n") == 1
    assert not output.exists()


def test_frames_that_cannot_serve_are_named_and_left_out(tmp_path):
    folder = shot(tmp_path / "shot", 5)
    Image.new("RGB", (50, 50)).save(folder / "color_0001.png")
    Image.new("RGB", (192, 192), (255, 255, 255)).save(folder / "color_0003.png")
    lesson, said = plan(folder, tmp_path)
    assert lesson.frames + lesson.held == 3
    assert "color_0001.png" in said[0] and "50 x 50" in said[0]
    assert "color_0003.png" in said[1] and "no closed coloured regions" in said[1]
    (folder / "color_0002.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match="color_0002"):
        plan(folder, tmp_path)


def test_the_command_writes_a_style_that_has_learnt(tmp_path, weights, capsys):
    before = hashlib.sha256(weights.read_bytes()).hexdigest()
    folder, output = shot(tmp_path / "shot", 5), tmp_path / "out" / "mine.safetensors"
    arguments = ["style", str(folder), "-o", str(output), "--steps", "6", "--keep"]
    assert main([*arguments, "--name", "My dog"]) == 0
    assert "left" in capsys.readouterr().out
    facts = read_header(output).extra["style"]
    assert (facts["name"], facts["frames"], facts["held"], facts["steps"]) == ("My dog", 4, 1, 6)
    assert 0 <= facts["before"]["regions"] <= 1 and 0 <= facts["after"]["places"] <= 1
    taught, base = load_model(output).state_dict(), load_model(weights).state_dict()
    assert set(taught) == set(base)
    assert any(not torch.equal(taught[name], base[name]) for name in base)
    assert output.stat().st_size == pytest.approx(weights.stat().st_size, abs=2000)  # fp16 as well
    assert np.asarray(Image.open(output.with_suffix(".png"))).std() > 10
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "mine.png", "mine.safetensors",
    ]  # fmt: skip
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == before


def test_training_on_the_frames_makes_held_ones_better(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "RATE", 3e-3)  # a fresh network has all to learn
    folder = shot(tmp_path / "shot", 5)
    lesson, _ = plan(folder, tmp_path)
    _, facts, _ = style.teach(lesson, tmp_path / "cache", "x", 60, quiet=True)
    assert facts.after.mean > facts.before.mean


def test_a_worse_style_is_not_written_unless_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(style, "RATE", 3e-3)
    folder, first = shot(tmp_path / "shot", 5), tmp_path / "first.safetensors"
    arguments = ["style", str(folder), "--quiet"]
    assert main([*arguments, "-o", str(first), "--steps", "60", "--keep"]) == 0
    torch.manual_seed(0)
    taught = load_model(first)
    assert isinstance(taught, RegionMatcher)
    put_model(store.folder(), "matching", taught)
    monkeypatch.setattr(style, "RATE", 1.0)  # as good as chance afterwards
    worse = tmp_path / "worse.safetensors"
    capsys.readouterr()
    assert main([*arguments, "-o", str(worse), "--steps", "2"]) == 1
    assert "--keep" in capsys.readouterr().err
    assert not worse.exists() and not worse.with_suffix(".png").exists()
    assert main([*arguments, "-o", str(worse), "--steps", "2", "--keep"]) == 0
    assert worse.exists()


def test_without_a_file_it_goes_where_nuri_finds_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(styles.FOLDER, str(tmp_path / "styles"))
    folder = shot(tmp_path / "shot", 5)
    call = ["style", str(folder), "--steps", "1", "--keep", "--quiet"]
    assert main([*call, "--name", "My dog"]) == 0
    assert '--model "style/My dog"' in capsys.readouterr().out
    (found,) = styles.installed()
    assert (found.id, found.frames) == ("style/My dog", 4)
    assert isinstance(store.load("style/My dog"), RegionMatcher)
    for name in ([], ["--name", "../dog"]):
        assert main([*call, *name]) == 1
    assert len(list((tmp_path / "styles").iterdir())) == 2


def test_another_ending_and_missing_weights_are_refused(tmp_path, monkeypatch, capsys):
    folder = shot(tmp_path / "shot", 2)
    assert main(["style", str(folder), "-o", str(tmp_path / "x.pt")]) == 1
    assert "x.pt is no .safetensors file" in capsys.readouterr().err
    monkeypatch.setenv("NURI_WEIGHTS", str(tmp_path / "nothing"))
    assert main(["style", str(folder), "-o", str(tmp_path / "x.safetensors")]) == 1
    assert "no trained weights for 'matching'" in capsys.readouterr().err
