"""The border finder: what its samples show, and that it learns from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.models.borders import BorderFinder
from training.cli import main
from training.engine.batches import collate
from training.matching.border_samples import (
    BorderScenes,
    borders_of,
    broken,
    parts_of,
    put_hints,
)
from training.matching.borders import BorderTask, average_precision, belonging
from training.matching.drawings import find_subjects
from training.matching.scenes import Scene, put_over, shapes

from .test_samples import folder as folder


def scenes(folder: Path, cache: Path, **options: float) -> BorderScenes:
    return BorderScenes(find_subjects(folder, "train"), cache, count=8, **options)


def halves() -> Scene:
    """Two colours side by side, a line between them in the upper half alone."""
    areas = np.ones((64, 64), np.int32)
    areas[:, 32:] = 2
    ink = np.zeros((64, 64), np.uint8)
    ink[:32, 31:33] = 255
    color = np.array([[255, 255, 255], [200, 30, 30], [30, 30, 200]], np.uint8)
    return Scene(ink, areas, color, 0)


def test_a_sample_follows_from_its_key(folder, tmp_path):
    one, other = (scenes(folder, tmp_path)[3, 5] for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", [{"made_up": 1, "composed": 0}, {"made_up": 0, "composed": 1}, {}])
@pytest.mark.parametrize("side", [128, 512])
def test_samples_of_every_kind_and_side(folder, tmp_path, kind, side):
    sample = scenes(folder, tmp_path, side=side, **kind)[1, 2]
    assert sample["drawing"].shape == (5, side, side)
    assert sample["border"].shape == sample["weight"].shape == (1, side, side)
    for name in ("hint_at", "pixel_at"):
        assert sample[name].min() >= 0 and sample[name].max() < (side // 2) ** 2
    assert sample["drawing"].min() >= 0 and sample["drawing"].max() <= 1
    assert 0 < sample["border"].mean() < 0.5


def test_a_border_needs_a_line_or_two_colours():
    scene = halves()
    found = borders_of(scene)
    assert found[:, 31:33].all() and not found[:, :31].any() and not found[:, 33:].any()
    soft = Scene(scene.ink, scene.areas, scene.color.copy(), 0)
    soft.color[2] = soft.color[1] + 1  # a step of a shading
    found = borders_of(soft)
    assert found[:32, 31:33].all() and not found[34:].any()


def test_hints_lie_inside_their_areas_in_one_colour():
    scene = halves()
    rng = np.random.default_rng(1)
    for _ in range(20):
        hints, places = put_hints(scene, parts_of(scene), rng, 64, recolor=False)
        ys, xs = np.nonzero(hints[..., 3])
        assert (hints[ys, xs, :3] == scene.color[scene.areas[ys, xs]]).all()
        assert not scene.ink[ys, xs].any()
        assert hints[..., 3].ravel()[places].all()


def test_hints_leave_room_in_narrow_areas():
    scene = halves()
    scene.areas[:, 28:36] = 1
    scene.areas[:, 30:34] = 2  # four pixels wide
    scene.ink[:] = 0
    rng = np.random.default_rng(3)
    hinted = [
        put_hints(scene, parts_of(scene), rng, 64, recolor=False)[0][..., 3] > 0 for _ in range(60)
    ]
    across = [hints[:, 30:34].any(axis=0) for hints in hinted]
    assert any(columns.any() for columns in across) and not any(c.all() for c in across)


def test_gaps_only_take_ink_away():
    scene = shapes(np.random.default_rng(0), 128)
    rng = np.random.default_rng(2)
    pens = [broken(scene.ink, rng, 128) for _ in range(8)]
    assert all((pen <= scene.ink).all() for pen in pens)
    assert any((pen < scene.ink).any() for pen in pens)


def test_a_figure_hides_what_is_behind_it_and_its_ground_does_not():
    below = halves()
    areas = np.ones((64, 64), np.int32)
    areas[20:40, 20:40] = 2
    ink = np.zeros((64, 64), np.uint8)
    cv2.rectangle(ink, (20, 20), (39, 39), 255, 1)
    above = Scene(ink, areas, np.array([[255] * 3, [255] * 3, [9, 99, 9]], np.uint8), 1)
    both = put_over(below, above)
    assert (both.color[both.areas[20:40, 20:40]] == (9, 99, 9)).all()
    assert (both.color[both.areas[:18]] == below.color[below.areas[:18]]).all()
    assert (both.ink[:18] == below.ink[:18]).all() and not both.ink[22:38, 22:38].any()


def test_a_pixel_belongs_to_the_hint_with_the_nearest_embedding():
    embedding = torch.zeros(1, 8, 4, 4)
    embedding[:, :, :, 2:] = 3.0
    batch = {
        "scale": torch.tensor([[4.0]]),
        "hint_at": torch.tensor([[0, 3, 0]]),
        "hint_class": torch.tensor([[5, 7, 0]]),  # the third stands for none
        "pixel_at": torch.tensor([[1, 13, 14, 15]]),
        "pixel_class": torch.tensor([[5, 5, 7, 0]]),
    }
    loss, right = belonging(batch, embedding)
    assert loss < 1e-3 and right == 1
    batch["pixel_class"] = torch.tensor([[7, 5, 7, 0]])
    loss, right = belonging(batch, embedding)
    assert loss > 5 and abs(right - 2 / 3) < 1e-6
    nothing = batch | {"hint_class": torch.zeros(1, 3, dtype=torch.long)}
    loss, _ = belonging(nothing | {"pixel_class": torch.zeros(1, 4, dtype=torch.long)}, embedding)
    assert loss == 0


def test_a_small_finder_learns_shapes(folder, tmp_path):
    torch.manual_seed(0)
    finder = BorderFinder(width=4)
    task = BorderTask(finder, 0.1)
    made = scenes(folder, tmp_path, made_up=1, composed=0)
    batch = collate([made[0, index] for index in range(2)])
    optimiser = torch.optim.Adam(finder.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        terms = task.generator_terms(batch, task.generate(batch))
        losses.append([terms[name].weighted for name in ("g/border", "g/belonging")])
        optimiser.zero_grad()
        sum(losses[-1]).backward()
        optimiser.step()
    for first, last in zip(losses[0], losses[-1], strict=True):
        assert last.item() < 0.6 * first.item()
    assert 0 <= average_precision(finder.eval(), made) <= 1


def test_the_command_trains_and_measures(folder, tmp_path, capsys):
    assert main(arguments(folder, tmp_path / "run")) == 0
    assert '"made_up"' in capsys.readouterr().out
    assert (tmp_path / "run" / "evaluation.json").is_file()


def test_it_begins_with_weights_that_are_there(folder, tmp_path, capsys):
    assert main(arguments(folder, tmp_path / "one")) == 0
    weights = tmp_path / "one.safetensors"
    assert main(["export", str(tmp_path / "one"), "-o", str(weights)]) == 0
    still = ["--start", str(weights), "--set", "optim.lr=1e-12"]
    assert main([*arguments(folder, tmp_path / "two"), *still]) == 0
    capsys.readouterr()
    assert main(["export", str(tmp_path / "two"), "-o", str(tmp_path / "two.safetensors")]) == 0
    one, two = (load_file(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    assert torch.allclose(one["head.weight"], two["head.weight"], atol=1e-6)


def test_what_the_weights_lack_is_told(folder, tmp_path, capsys):
    part = BorderFinder(width=4).state_dict()
    del part["embed.weight"], part["embed.bias"]
    save_file(part, tmp_path / "part.safetensors")
    start = ["--start", str(tmp_path / "part.safetensors")]
    assert main([*arguments(folder, tmp_path / "run"), *start]) == 0
    assert "part.safetensors, new: embed.bias, embed.weight" in capsys.readouterr().err


def test_weights_of_another_width_are_refused(folder, tmp_path, capsys):
    other = tmp_path / "other.safetensors"
    save_file(BorderFinder(width=8).state_dict(), other)
    assert main([*arguments(folder, tmp_path / "run"), "--start", str(other)]) == 1
    assert f"cannot start from {other}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def arguments(folder: Path, run: Path) -> list[str]:
    settings = ["model.width=4", "train.steps=1", "train.batch=1", "data.workers=0"]
    given = ["borders", "--data", str(folder), "-o", str(run), "--quiet"]
    for setting in settings:
        given += ["--set", setting]
    return given
