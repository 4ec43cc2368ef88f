"""MangaGAN's stages: fine-tuning by the paper and by the release, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from training import papers, presets
from training.cli import main
from training.engine import Batch, Recipe
from training.engine.batches import collate
from training.errors import TrainingError
from training.presets.configuration import flatten

SMALL = [
    "data.size=64", "data.count=2", "data.denoise=false", "data.workers=0", "data.xdog.scales=1",
    "model.width=8", "model.size=compact", "model.extractor_width=8", "critic.width=8",
    "loss.features=none", "train.steps=1", "train.batch=2", "eval.limit=1",
]  # fmt: skip
RUN = ["--device", "cpu", "--quiet"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


def small(preset: str = "manga", *settings: str) -> dict[str, Any]:
    return presets.parse(preset, [*SMALL, *settings]).as_config()


def finetuning(preset: str = "manga", data: Path | None = None, *settings: str) -> Recipe:
    return papers.build(small(preset, *settings), data, "finetune")


def hinted(recipe: Recipe) -> Batch:
    """Two samples of the pages, as if somebody had given hints everywhere."""
    dataset = recipe.tracks[0].dataset
    batch = collate([dataset[(0, index)] for index in range(2)])
    return {**batch, "hint": torch.ones_like(batch["hint"])}


def page(path: Path, seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    small_page = Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    small_page.resize((64, 64)).convert("RGB" if channels == 3 else "L").save(path)


@pytest.mark.parametrize(
    ("preset", "rates", "pages_at", "critic_steps"),
    [
        ("manga", (1e-5, 4e-5, 1e-6), [4, 9, 14, 19], 1),
        ("manga/release", (1e-6, 4e-5, 1e-6), [5, 15], 5),
    ],
)
def test_fine_tuning_has_the_rates_and_the_rhythm_of_its_source(
    preset: str, rates: tuple[float, ...], pages_at: list[int], critic_steps: int
) -> None:
    recipe = finetuning(preset)
    plans = {"generator": "generator", "critic": "critic", "generator_pages": "generator"}
    assert {name: plan.networks for name, plan in recipe.optimisers.items()} == {
        name: (network,) for name, network in plans.items()
    }
    for name, rate in zip(plans, rates, strict=True):
        plan = recipe.optimisers[name]
        assert {plan.rate.at(step) for step in (0, recipe.steps - 1)} == {rate}
        assert plan.betas == (0.5, 0.9)
    pages, colour = recipe.tracks
    assert (pages.name, colour.name) == ("pages", "main")
    assert (pages.generator_optimiser, pages.critic_optimiser) == ("generator_pages", "critic")
    assert (colour.generator_optimiser, colour.critic_optimiser) == ("generator", "critic")
    assert (pages.order, pages.critic_steps) == ("DG", critic_steps)
    assert (colour.order, colour.critic_steps) == ("alternate", 1)
    assert [step for step in range(20) if recipe.track(step) is pages] == pages_at


def test_pages_teach_by_the_critic_alone_and_without_hints() -> None:
    recipe = finetuning()
    task, batch = recipe.tracks[0].task, hinted(recipe)
    seen: list[torch.Tensor] = []
    recipe.networks["generator"].register_forward_pre_hook(lambda _, given: seen.append(given[2]))
    terms = task.generator_terms(batch, task.generate(batch))
    assert {name: term.weight for name, term in terms.items()} == {"g/adv": 1.0}
    (hint,) = seen
    assert hint.shape == (2, 4, 64, 64) and not hint.any()


def test_the_critic_tells_coloured_pages_from_coloured_in_ones() -> None:
    recipe = finetuning()
    task, batch = recipe.tracks[0].task, hinted(recipe)
    seen: list[torch.Tensor] = []
    recipe.networks["critic"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    generated = task.generate(batch)
    assert set(task.critic_terms("real", batch, generated)) == {"d/real"}
    assert set(task.critic_terms("fake", batch, generated)) == {"d/fake"}
    assert torch.equal(seen[0], batch["color"]) and torch.equal(seen[1], generated["main"])


def test_the_rows_of_table_1_are_fine_tuned_as_they_say() -> None:
    paper = {
        "mode": "on", "steps": 5000, "every": 5, "phase": 4, "critic_steps": 1,
        "lr_generator": 1e-5, "lr_critic": 4e-5, "lr_adversarial": 1e-6,
    }  # fmt: skip
    own = {
        "with_1_5": {"steps": 20000},
        "without_4": {"steps": 20000},
        "release": {
            "steps": 3500, "every": 10, "phase": 5, "critic_steps": 5, "lr_generator": 1e-6,
        },
    }  # fmt: skip
    never = {"without_1_5", "without_2_5", "without_3_5", "alacgan"}
    for row in presets.rows("manga"):
        config = presets.load("manga", row).as_config()
        expected = {"mode": "off"} if row in never else {}
        assert config["finetune"] == paper | own.get(row, {}) | expected
        assert papers.stages(config) == (["main"] if row in never else ["main", "finetune"])
    hinting = {"default", "release", "without_5", "with_1_5"}
    for row in presets.rows("manga"):
        assert presets.load("manga", row).config["eval"]["auto_hint"] == (row in hinting)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("finetune.mode=paper", "finetune.mode is 'paper': use on or off"),
        ("finetune.mode=extended", "finetune.mode is 'extended': use on or off"),
        ("finetune.every=0", "finetune.every is 0: use at least 1"),
        (
            "finetune.every=3",
            "finetune.phase is 4: use 0 to 2, for it counts within finetune.every=3",
        ),
        (
            "finetune.phase=5",
            "finetune.phase is 5: use 0 to 4, for it counts within finetune.every=5",
        ),
        ("finetune.phase=-1", "finetune.phase is -1: use 0 to 4"),
        ("finetune.critic_steps=0", "finetune.critic_steps is 0: use at least 1"),
        ("finetune.steps=-1", "finetune.steps is -1: use at least 0"),
        ("finetune.lr_generator=-1", "finetune.lr_generator is -1: use at least 0"),
        ("finetune.lr_critic=nan", "finetune.lr_critic is nan: use at least 0"),
        ("finetune.lr_adversarial=inf", "finetune.lr_adversarial is inf: use at least 0"),
        ("optim.generator.betas=0.5", "optim.generator.betas is [0.5]: give two numbers"),
        ("optim.critic.betas=0.5,1", "optim.critic.betas is [0.5, 1.0]: give two numbers"),
        ("optim.generator.lr=-1", "optim.generator.lr is -1: use at least 0"),
        ("data.xdog.scales=[]", "data.xdog.scales is []: give one or more whole numbers"),
        ("data.xdog.scales=2,0", "data.xdog.scales is [2, 0]: give one or more whole numbers"),
        ("data.xdog.test_scale=0", "data.xdog.test_scale is 0: use at least 1"),
        ("data.xdog.sigma=-1", "data.xdog.sigma is -1: use at least 0"),
        ("data.xdog.ratio=-1", "data.xdog.ratio is -1: use at least 0"),
        ("data.hint.std=-1", "data.hint.std is -1: use 0 to 1"),
        ("data.hint.sparse=2", "data.hint.sparse is 2: use 0 to 1"),
        ("data.hint.full=-0.5", "data.hint.full is -0.5: use 0 to 1"),
        ("data.hint.cell=0", "data.hint.cell is 0: use at least 1"),
        ("data.line_jitter=2", "data.line_jitter is 2: use 0 to 1"),
        ("data.color_shift=2", "data.color_shift is 2: use 0 to 1"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_trained(
    setting: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [part for one in (*SMALL, setting) for part in ("--set", one)]
    assert main(["train", "manga", "-o", str(tmp_path / "run"), *RUN, *chosen]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"nuri-train: {expected}") and told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_every_setting_of_fine_tuning_is_what_is_done() -> None:
    recipe = finetuning(
        "manga/release", None, "finetune.every=4", "finetune.phase=0", "finetune.critic_steps=2",
        "finetune.steps=7", "finetune.lr_generator=0.25", "finetune.lr_critic=0.5",
        "finetune.lr_adversarial=0.125",
    )  # fmt: skip
    pages = recipe.tracks[0]
    assert (pages.every, pages.phase, pages.critic_steps, recipe.steps) == (4, 0, 2, 7)
    rates = {name: plan.rate.base for name, plan in recipe.optimisers.items()}
    assert rates == {"generator": 0.25, "critic": 0.5, "generator_pages": 0.125}


def test_fine_tuning_is_switched_on_and_off() -> None:
    on = small()
    off = {**on, "finetune": {**on["finetune"], "mode": "off"}}
    assert papers.stages(on) == ["main", "finetune"]
    assert papers.stages(off) == ["main"]
    assert papers.stages(papers.with_finetuning(off)) == ["main", "finetune"]


@pytest.mark.parametrize("preset", ["manga/alacgan", "manga/without_1_5"])
def test_rows_that_cannot_be_fine_tuned_say_so_before_they_are_trained(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {
        "manga/alacgan": "AlacGAN has no fine-tuning in the paper: use another row of manga",
        "manga/without_1_5": "fine-tuning needs a critic: set loss.adv above 0",
    }[preset]
    known = flatten(presets.parse(preset).config)
    chosen = [one for one in (*SMALL, "data.size=128") if one.partition("=")[0] in known]
    given = [part for one in chosen for part in ("--set", one)]
    run = tmp_path / "run"
    assert main(["train", preset, "-o", str(run), *RUN, *given, "--set", "finetune.mode=on"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"nuri-train: {expected}") and told.count("\n") == 1
    assert not run.exists()
    assert main(["train", preset, "-o", str(run), *RUN, *given]) == 0
    capsys.readouterr()
    assert main(["finetune", str(run), "-o", str(tmp_path / "tuned"), *RUN]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"nuri-train: {expected}") and told.count("\n") == 1
    assert not (tmp_path / "tuned").exists()


def test_the_hashes_of_a_run_know_its_black_and_white_pages(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number in range(4):
        page(data / "color" / f"c{number}.png", number, 3)
        page(data / "bw_manga" / f"b{number}.png", 10 + number, 1)
    first = finetuning("manga", data).data_hashes
    assert first.keys() == {"train", "pages"}
    assert finetuning("manga", data).data_hashes == first
    page(data / "bw_manga" / "b0.png", 99, 1)
    second = finetuning("manga", data).data_hashes
    (data / "bw_manga" / "b1.png").unlink()
    third = finetuning("manga", data).data_hashes
    assert len({one["pages"] for one in (first, second, third)}) == 3
    assert {one["train"] for one in (first, second, third)} == {first["train"]}
    assert papers.build(small(), data).data_hashes == {"train": first["train"]}


def test_fine_tuning_of_a_finished_run_is_checked_too() -> None:
    with pytest.raises(TrainingError, match=r"finetune\.every is 0"):
        finetuning("manga", None, "finetune.every=0")
