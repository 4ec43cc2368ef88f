"""The border finder: what its samples show, and that it learns from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from backend.models.borders import BorderFinder
from training.cli import main
from training.engine.batches import collate
from training.matching.border_samples import SIDE, BorderScenes, borders_of, broken, put_hints
from training.matching.borders import BorderTask, average_precision
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
def test_samples_of_every_kind(folder, tmp_path, kind):
    sample = scenes(folder, tmp_path, **kind)[1, 2]
    assert sample["drawing"].shape == (5, SIDE, SIDE)
    assert sample["border"].shape == sample["weight"].shape == (1, SIDE, SIDE)
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
        hints = put_hints(scene, borders_of(scene), rng, 64, recolor=False)
        ys, xs = np.nonzero(hints[..., 3])
        assert (hints[ys, xs, :3] == scene.color[scene.areas[ys, xs]]).all()
        assert not scene.ink[ys, xs].any()


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


def test_a_small_finder_learns_shapes(folder, tmp_path):
    torch.manual_seed(0)
    finder = BorderFinder(width=4)
    task = BorderTask(finder)
    made = scenes(folder, tmp_path, made_up=1, composed=0)
    batch = collate([made[0, index] for index in range(2)])
    optimiser = torch.optim.Adam(finder.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss = task.generator_terms(batch, task.generate(batch))["g/border"].weighted
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert 0 <= average_precision(finder.eval(), made) <= 1


def test_the_command_trains_and_measures(folder, tmp_path, capsys):
    settings = ["model.width=4", "train.steps=1", "train.batch=1", "data.workers=0"]
    arguments = ["borders", "--data", str(folder), "-o", str(tmp_path / "run"), "--quiet"]
    for setting in settings:
        arguments += ["--set", setting]
    assert main(arguments) == 0
    assert '"made_up"' in capsys.readouterr().out
    assert (tmp_path / "run" / "evaluation.json").is_file()
