"""Recipes of the papers: a few steps of each stage, evaluated, on generated drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from training import papers, presets
from training.data import data_hash
from training.engine import Recipe, Side, Task, Term, Trainer, checkpoint, read_history
from training.engine.batches import collate
from training.errors import TrainingError
from training.losses import gradient_penalty
from training.papers.scoring import derangement

COMMON = [
    "data.size=64",
    "data.count=4",
    "data.workers=0",
    "train.steps=2",
    "train.batch=2",
    "train.log_every=1",
    "eval.limit=2",
    "eval.pictures=1",
    "data.denoise=false",
    'eval.metrics=["mse"]',
]
SMALL = {
    "aaldc": ["model.width=2", "critic.width=4"],
    "ibn_gan": ["model.width=4", "model.depth=6", "critic.width=4"],
    "smsanet": ["model.width=4", "train.scratch_steps=2"],
    "manga": ["model.width=8", "model.extractor_width=8", "critic.width=8", "finetune.steps=6"],
    "video": [
        "model.width=4", "model.blocks=1", "critic.width=4", "refine.steps=2", "refine.batch=2",
        "refine.model.width=4", "refine.critic_width=4", "finetune.steps=1",
        "finetune.refine_steps=1",
    ],
}  # fmt: skip


def small(preset: str, *settings: str) -> dict[str, Any]:
    known = presets.flatten(presets.parse(preset).config)
    chosen = [*COMMON, *SMALL[preset.partition("/")[0]], *settings]
    chosen = [setting for setting in chosen if setting.partition("=")[0] in known]
    return presets.parse(preset, chosen).as_config()


def run(config: dict[str, Any], folder: Path) -> list[Recipe]:
    recipes, base = [], None
    for stage in papers.stages(config):
        recipe = papers.build(config, None, stage, base)
        base = Trainer(recipe, folder / stage, device="cpu", quiet=True).fit().checkpoint
        recipes.append(recipe)
    papers.evaluate(config, None, base, folder / "evaluation", "cpu")
    return recipes


def terms(folder: Path) -> set[str]:
    return {
        name for name in read_history(folder) if name[:2] in ("g/", "d/") and "_raw" not in name
    }


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("aaldc", {"g/adv", "g/pixel", "d/real", "d/fake"}),
        ("aaldc/scft", {"g/adv", "g/pixel", "g/triplet", "d/real", "d/fake"}),
        ("aaldc/line_extractor", {"g/pixel"}),
        ("ibn_gan", {"g/adv", "g/pixel", "d/real", "d/fake"}),
        ("ibn_gan/release", {"g/adv", "g/pixel", "d/real", "d/fake"}),
        ("smsanet", {"g/pixel", "g/salient"}),
        ("manga", {"g/adv", "g/pixel", "g/aux", "g/white", "d/real", "d/fake"}),
        ("manga/without_1_5", {"g/pixel", "g/aux"}),
        ("video", {"g/adv", "g/pixel", "g/latent", "d/real", "d/fake"}),
        ("video/ardsc", {"g/adv", "g/pixel", "d/real", "d/fake"}),
    ],
)
def test_the_main_stage_logs_its_terms(preset: str, expected: set[str], tmp_path: Path) -> None:
    config = small(preset)
    run(config, tmp_path)
    logged = terms(tmp_path / "main") - {"g/total", "d/total", "g/perceptual", "g/style"}
    assert logged == expected


def critic_terms(
    config: dict[str, Any], side: Side
) -> tuple[Task, dict[str, Any], dict[str, Term]]:
    """The task, a batch with what the generator made of it, and the critic's terms."""
    track = papers.build(config, None).tracks[0]
    batch = collate([track.dataset[(0, 0)], track.dataset[(0, 1)]])
    track.task.eval()  # the spectral norm stands still
    with torch.no_grad():
        generated = track.task.generate(batch)
    torch.manual_seed(0)
    return track.task, {**batch, **generated}, track.task.critic_terms(side, batch, generated)


def total(terms: dict[str, Term]) -> torch.Tensor:
    return torch.stack([term.weighted for term in terms.values()]).sum()


@pytest.mark.parametrize(("side", "label"), [("real", 1.0), ("fake", 0.0)])
def test_ibn_gan_halves_the_critics_and_tells_each_apart(side: Side, label: float) -> None:
    task, made, terms = critic_terms(small("ibn_gan/ibn_sn_md"), side)
    logits = task.judge(made, made["ab" if side == "real" else "main"])
    each = [(one - label).square().mean() for one in logits]
    torch.testing.assert_close(total(terms), 0.5 * sum(each))
    assert terms[f"d/{side}"].weight == 0.5
    torch.testing.assert_close(terms[f"d/{side}"].raw, sum(each))
    assert list(terms) == [f"d/{side}", *(f"d{number}/{side}" for number in range(3))]
    for number, loss in enumerate(each):
        torch.testing.assert_close(terms[f"d{number}/{side}"].raw, loss)
        assert not terms[f"d{number}/{side}"].raw.requires_grad


def test_a_single_critic_is_told_once() -> None:
    assert list(critic_terms(small("ibn_gan/ibn_sn"), "real")[2]) == ["d/real"]


def test_alacgan_weighs_its_penalty_and_its_drift_outside_of_them() -> None:
    task, made, fake = critic_terms(small("manga/alacgan", "data.size=128"), "fake")
    torch.manual_seed(0)
    penalty = gradient_penalty(lambda x: task.judge(made, x), made["color"], made["main"])
    torch.testing.assert_close(fake["d/penalty"].raw, penalty)
    score = task.judge(made, made["main"])[0].mean()
    torch.testing.assert_close(total(fake), score + 10 * penalty)

    task, made, real = critic_terms(small("manga/alacgan", "data.size=128"), "real")
    scores = task.judge(made, made["color"])[0]
    torch.testing.assert_close(real["d/drift"].raw, scores.square().mean())
    torch.testing.assert_close(total(real), -scores.mean() + 1e-3 * scores.square().mean())


def test_the_refinement_leaves_the_transform_network_alone(tmp_path: Path) -> None:
    run(small("video"), tmp_path)
    main = checkpoint.load(tmp_path / "main" / checkpoint.NAME)["networks"]["generator"]
    refined = checkpoint.load(tmp_path / "refine" / checkpoint.NAME)["networks"]["generator"]
    assert all(torch.equal(main[name], refined[name]) for name in main)


def test_fine_tuning_on_pages_uses_a_second_adam_state(tmp_path: Path) -> None:
    recipes = run(small("manga", "finetune.mode=on"), tmp_path)
    assert [recipe.stage for recipe in recipes] == ["main", "finetune"]
    state = checkpoint.load(tmp_path / "finetune" / checkpoint.NAME)
    assert {"generator", "critic", "generator_pages"} == set(state["optimisers"])
    assert state["batches"]["pages"] == 1  # the fifth of six steps
    (first, *_) = state["optimisers"]["generator_pages"]["state"].values()
    assert float(first["step"]) == 1


@pytest.mark.parametrize(
    ("preset", "settings"),
    [("manga", []), ("video", ["finetune.shots=2", "finetune.keys=0"])],
)
def test_the_data_of_every_track_are_in_the_hashes(
    preset: str, settings: list[str], tmp_path: Path
) -> None:
    recipes = run(small(preset, *settings), tmp_path)
    assert recipes[-1].stage == "finetune" and len(recipes[-1].tracks) == 2
    for recipe in recipes:
        recorded = set(recipe.data_hashes.values())
        assert recorded == {data_hash(track.dataset) for track in recipe.tracks}


def test_weights_follow_from_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        recipe = papers.build(small("aaldc", f"train.seed={seed}"), None)
        return next(recipe.networks["generator"].parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_later_stage_needs_the_one_before() -> None:
    with pytest.raises(TrainingError, match="the refine stage needs a trained network"):
        papers.build(small("video"), None, "refine")


def test_a_base_of_another_architecture_is_refused(tmp_path: Path) -> None:
    recipe = papers.build(small("video"), None)
    path = Trainer(recipe, tmp_path, device="cpu", quiet=True).fit().checkpoint
    with pytest.raises(TrainingError, match=r"model\.width = 4 there, 6 here"):
        papers.build(small("video", "model.width=6"), None, "refine", path)


def test_an_unknown_paper_is_named() -> None:
    with pytest.raises(TrainingError, match="there is no paper 'cubism': use one of aaldc"):
        papers.stages({"paper": "cubism"})


@pytest.mark.parametrize("count", [2, 3, 17])
def test_random_references_are_never_the_drawing_itself(count: int) -> None:
    partners = derangement(count, seed=5)
    assert sorted(partners) == list(range(count))
    assert all(partner != index for index, partner in enumerate(partners))
    assert partners == derangement(count, seed=5)
