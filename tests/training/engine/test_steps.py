"""The five step orders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.engine import Recipe, Trainer
from training.errors import TrainingError

from .tiny import TinyTask, tiny_recipe

CRITIC_STEP = ["real", "fake"]
ONE_STEP = {
    "GD": ["generate", "generator", *CRITIC_STEP],
    "DG": ["fake", *CRITIC_STEP, "generate", "generator"],
    "D_split,G": ["fake", *CRITIC_STEP, "generate", "generator"],
    "alternate": ["fake", *CRITIC_STEP],
    "G": ["generate", "generator"],
}


def fit(recipe: Recipe, folder: Path) -> None:
    Trainer(recipe, folder, device="cpu", quiet=True).fit()


def weights(recipe: Recipe, network: str) -> list[Tensor]:
    return [p.detach().clone() for p in recipe.networks[network].parameters()]


def changed(before: list[Tensor], after: list[Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def only_task(recipe: Recipe) -> TinyTask:
    task = recipe.tracks[0].task
    assert isinstance(task, TinyTask)
    return task


@pytest.mark.parametrize("order", ONE_STEP)
def test_what_a_step_does_in_which_order(order: str, tmp_path: Path) -> None:
    recipe = tiny_recipe(order, steps=1)
    fit(recipe, tmp_path)
    assert only_task(recipe).seen == ONE_STEP[order]


@pytest.mark.parametrize(
    ("order", "generator", "critic"),
    [("GD", True, True), ("DG", True, True), ("D_split,G", True, True), ("alternate", False, True),
     ("G", True, False)],
)  # fmt: skip
def test_which_network_a_step_changes(
    order: str, generator: bool, critic: bool, tmp_path: Path
) -> None:
    recipe = tiny_recipe(order, steps=1)
    before = {name: weights(recipe, name) for name in recipe.networks}
    fit(recipe, tmp_path)
    assert changed(before["generator"], weights(recipe, "generator")) == generator
    assert changed(before["critic"], weights(recipe, "critic")) == critic


def test_alternate_updates_the_generator_on_odd_steps(tmp_path: Path) -> None:
    recipe = tiny_recipe("alternate", steps=2)
    fit(recipe, tmp_path)
    assert only_task(recipe).seen == ["fake", *CRITIC_STEP, "generate", "generator"]


def test_split_critic_steps_differ_from_a_joint_one(tmp_path: Path) -> None:
    split, joint = tiny_recipe("D_split,G", steps=1), tiny_recipe("DG", steps=1)
    fit(split, tmp_path / "split")
    fit(joint, tmp_path / "joint")
    assert changed(weights(split, "critic"), weights(joint, "critic"))


def test_critics_keep_their_gradients_switched_on_after_a_generator_step(tmp_path: Path) -> None:
    recipe = tiny_recipe("G", steps=1)
    fit(recipe, tmp_path)
    assert all(p.requires_grad for p in recipe.networks["critic"].parameters())


def test_fakes_from_the_running_statistics_leave_those_alone(tmp_path: Path) -> None:
    statistics = []
    for mode in ("train", "eval"):
        recipe = tiny_recipe("DG", steps=1)
        only_task(recipe).critic_fake = mode  # type: ignore[assignment]
        fit(recipe, tmp_path / mode)
        norm = recipe.networks["generator"].get_submodule("1")
        assert norm.training
        statistics.append(int(norm.num_batches_tracked))
    assert statistics == [2, 1]


def test_an_unknown_order_is_named() -> None:
    with pytest.raises(TrainingError, match=r"train\.order is 'GDG': use one of GD, DG"):
        tiny_recipe("GDG")
