"""The colour chooser: samples with some colours known, and that it learns from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend.models.choosing import ColorChooser
from backend.models.matching import RegionMatcher
from backend.weights import store
from tests.backend.weights.shelf import put
from training.cli import main
from training.engine.batches import collate
from training.matching.choosing import ChoosingTask, ColoredDrawings, common_colors
from training.matching.drawings import find_subjects

from .test_samples import folder as folder


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "weights", "matching", {"width": 4, "dim": 16, "heads": 2, "layers": 1})
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path / "weights"))


def drawings(folder: Path, cache: Path, **options: float) -> ColoredDrawings:
    return ColoredDrawings(find_subjects(folder, "train"), cache, count=8, **options)


def test_a_sample_follows_from_its_key(folder, tmp_path):
    one, other = (drawings(folder, tmp_path)[3, 5] for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_known_colours_are_told_and_not_asked_for(folder, tmp_path):
    nothing = drawings(folder, tmp_path, known=0.0)[0]
    assert (nothing["target_color"] == 0).all() and (nothing["weight"] > 0).sum() >= 5
    some = drawings(folder, tmp_path, known=0.5)[0]
    known = some["target_color"][:, 3] == 1
    assert 0 < known.sum() < (nothing["weight"] > 0).sum()
    assert (some["weight"][known] == 0).all()
    assert torch.equal(some["target_color"][known][:, :3], some["wanted"][known])


def test_common_colours_are_those_of_the_drawings(folder, tmp_path):
    colors = common_colors(find_subjects(folder, "train"), tmp_path, 5, 0)
    assert colors.shape == (5, 3) and colors.min() >= 0 and colors.max() <= 1
    assert (colors.min(1) > 0.97).any()  # paper
    again = common_colors(find_subjects(folder, "train"), tmp_path, 5, 0)
    assert (colors == again).all()


def test_a_small_chooser_learns_a_drawing(folder, tmp_path):
    torch.manual_seed(0)
    matcher = RegionMatcher(width=4, dim=16, heads=2, layers=1)
    chooser = ColorChooser(dim=16, width=16, heads=2, layers=1, colors=5)
    colors = common_colors(find_subjects(folder, "train"), tmp_path, 5, 0)
    chooser.palette.copy_(torch.from_numpy(colors))
    task = ChoosingTask(chooser, matcher)
    before = [value.clone() for value in matcher.parameters()]
    batch = collate([drawings(folder, tmp_path, known=0.0)[0, index] for index in range(2)])
    optimiser = torch.optim.Adam(chooser.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = task.generator_terms(batch, task.generate(batch))["g/color"].weighted
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(map(torch.equal, before, matcher.parameters()))  # it stays as it is


def test_the_command_trains_measures_and_goes_on(folder, tmp_path, weights, capsys):
    settings = [
        "model.width=8", "model.heads=2", "model.layers=1", "model.colors=5", "train.steps=2",
        "train.batch=2", "data.workers=0", "train.log_every=1", "train.checkpoint_every=1",
    ]  # fmt: skip
    arguments = ["choose", "--data", str(folder), "-o", str(tmp_path / "run"), "--quiet"]
    for setting in settings:
        arguments += ["--set", setting]
    assert main(arguments) == 0
    assert '"nothing/pairs_avatars"' in capsys.readouterr().out
    assert (tmp_path / "run" / "evaluation.json").is_file()
    assert main([*arguments, "--resume"]) == 0
