"""Samples of the region matcher, and that it learns from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.models.matching import RegionMatcher
from tests.backend import figures
from training.cli import main
from training.engine.batches import collate
from training.errors import TrainingError
from training.matching.drawings import Subject, find_subjects, prepare
from training.matching.recipe import MatchingTask, paint_loss
from training.matching.samples import IGNORE, NONE, STILL, MatchingPairs, Mixture


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A data folder with two avatars of one character, as the shared sets have them."""
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "dev"):
        base = root / "pairs_avatars" / split
        for part in ("line", "color"):
            (base / part).mkdir(parents=True)
        for name, smile in (("x_a", 0.0), ("x_b", 0.03)):
            line, color, _ = figures.face(256, smile=smile)
            Image.fromarray(line).save(base / "line" / f"{name}.png")
            Image.fromarray(color).save(base / "color" / f"{name}.png")
        (base / "index.json").write_text(
            '[{"id": "x_a", "character": "x", "variant": "a"},'
            ' {"id": "x_b", "character": "x", "variant": "b"}]'
        )
    return root


def pairs(folder: Path, tmp_path: Path, **mixture: float) -> MatchingPairs:
    still = {"hints": 0.0, "self": 0.0, "recolor": 0.0, "flip": 0.0} | mixture
    return pairs_of(folder, tmp_path, Mixture(**still))


def pairs_of(folder: Path, tmp_path: Path, mixture: Mixture) -> MatchingPairs:
    return MatchingPairs(find_subjects(folder, "train"), tmp_path, count=64, mixture=mixture)


def test_subjects_and_prepared_drawings(folder, tmp_path):
    (subject,) = find_subjects(folder, "train")
    assert (subject.kind, len(subject.drawings)) == ("pairs_avatars", 2)
    made = prepare(*subject.drawings[0], tmp_path)
    again = prepare(*subject.drawings[0], tmp_path)
    assert all((getattr(made, n) == getattr(again, n)).all() for n in vars(made))
    assert len(made.palette) == 5
    with pytest.raises(TrainingError):
        find_subjects(tmp_path, "train")


def test_what_is_left_as_it_is_and_what_each_change_touches(folder, tmp_path):
    def shown(**change: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pictures of some targets, each of the one drawing, and the colours of their sources."""
        made = pairs_of(folder, tmp_path, replace(STILL, self=1.0, **change))
        made.subjects = [replace(made.subjects[0], drawings=made.subjects[0].drawings[:1])]
        samples = [made[0, index] for index in range(6)]
        return [(s["target_picture"].numpy(), s["source_color"].numpy()) for s in samples]

    def differ(samples: list[tuple[np.ndarray, np.ndarray]], part: int) -> bool:
        return any((samples[0][part] != other[part]).any() for other in samples)

    still = shown()
    assert not differ(still, 0) and not differ(still, 1)
    for change, pictures, colors in (
        ({"pen": 1.0}, True, False),
        ({"recolor": 1.0}, False, True),
        ({"mirror": 0.5}, True, False),
    ):
        assert (differ(shown(**change), 0), differ(shown(**change), 1)) == (pictures, colors)
    assert differ(shown(warp=1.0), 0)


def test_a_sample_follows_from_its_key(folder, tmp_path):
    one, other = (pairs(folder, tmp_path, recolor=0.5)[3, 7] for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["target_picture"], pairs(folder, tmp_path)[4, 7]["target_picture"])


def test_the_truth_is_the_paint_of_the_same_part(folder, tmp_path):
    sample = pairs(folder, tmp_path)[0, 1]
    truth, paint = sample["truth"], sample["paint"][sample["source_valid"]]
    assert (truth >= 0).sum() >= 6
    assert set(truth[truth >= 0].tolist()) == set(paint.tolist())
    # both eyes, of one paint, are among the smallest
    smallest = sample["target_facts"][:, 0][truth >= 0].argsort()[:3]
    assert len(set(truth[truth >= 0][smallest].tolist())) == 2


def test_hints_leave_out_what_nothing_tells_of(folder, tmp_path):
    kinds = set()
    for index in range(20):
        sample = pairs(folder, tmp_path, hints=1.0)[0, index]
        known = sample["source_valid"]
        assert (sample["truth"][known] == IGNORE).all()
        told = set(sample["paint"][known].tolist())
        asked = sample["truth"][sample["truth"] >= 0].tolist()
        assert set(asked) <= told
        kinds |= set(sample["truth"].tolist())
    assert NONE in kinds


def test_the_loss_is_that_of_all_regions_of_a_paint():
    scores = torch.log(torch.tensor([[[0.2, 0.3, 0.1, 0.4]]]))
    paint, valid = torch.tensor([[5, 6, 5]]), torch.ones(1, 3, dtype=torch.bool)
    for truth, likely in ((5, 0.3), (6, 0.3), (NONE, 0.4)):
        loss = paint_loss(scores, paint, valid, torch.tensor([[truth]]))
        assert loss.item() == pytest.approx(-np.log(likely), abs=1e-5)


def test_a_small_matcher_learns_one_pair(folder, tmp_path):
    torch.manual_seed(0)
    matcher = RegionMatcher(width=4, dim=32, heads=2, layers=1)
    task = MatchingTask(matcher, {"pixel": 0.5})
    batch = collate([pairs(folder, tmp_path)[0, index] for index in range(2)])
    optimiser = torch.optim.Adam(matcher.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        terms = task.generator_terms(batch, task.generate(batch))
        total = sum(term.weighted for term in terms.values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(terms["g/region"].raw.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_command_trains_measures_and_goes_on(folder, tmp_path, capsys):
    settings = [
        "model.width=4", "model.dim=16", "model.heads=2", "model.layers=1", "train.steps=2",
        "train.batch=2", "data.workers=0", "train.log_every=1", "train.checkpoint_every=1",
    ]  # fmt: skip
    arguments = ["match", "--data", str(folder), "-o", str(tmp_path / "run"), "--quiet"]
    for setting in settings:
        arguments += ["--set", setting]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert '"reference/pairs_avatars"' in told and '"strange/fresh_colors"' in told
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    assert (tmp_path / "run" / "evaluation.json").is_file()
    assert main([*arguments, "--resume"]) == 0


def test_no_data_is_said(tmp_path, capsys):
    assert main(["match", "--data", str(tmp_path), "-o", str(tmp_path / "run")]) == 1
    assert "check --data" in capsys.readouterr().err


def test_subjects_of_one_drawing_serve_alone(folder, tmp_path):
    (subject,) = find_subjects(folder, "train")
    single = Subject(subject.kind, "alone", subject.drawings[:1])
    sample = MatchingPairs([single], tmp_path, count=4)[0, 0]
    assert sample["target_picture"].shape == sample["source_picture"].shape
