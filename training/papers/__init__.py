"""The five papers: how the pieces of each are put together into recipes and evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from training.engine import Recipe
from training.engine.checkpoint import origin
from training.errors import TrainingError

if TYPE_CHECKING:
    from training.data import SampleDataset
    from training.papers.scoring import Evaluation

NAMES = ("aaldc", "ibn_gan", "video", "smsanet", "manga")
STAGES = ("main", "refine", "finetune")


def stages(config: Mapping[str, Any]) -> list[str]:
    """The stages that a configuration trains, in order; [] when it is used as it is."""
    wanted: list[str] = _paper(config).stages(config)
    return wanted


def build(
    config: Mapping[str, Any], data: Path | None, stage: str = "main", base: Path | None = None
) -> Recipe:
    """The recipe of one stage.

    ``config``: a complete preset with ``paper`` and ``row``. ``data``: folder, None for generated
    drawings. ``base``: checkpoint of the stage before, whose weights the recipe starts from.
    Weights follow from ``train.seed``. Raises TrainingError.
    """
    from training.papers.pieces import Workshop

    if stage not in STAGES:
        raise TrainingError(f"there is no stage {stage!r}", f"use one of {', '.join(STAGES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config["train"]["seed"])
        shop = Workshop(deepcopy(dict(config)), data, stage, base)
        recipe: Recipe = _paper(config).build(shop)
    recipe.pretrained = shop.degradations.pretrained()
    recipe.base = None if shop.base_state is None else origin(shop.base_state)
    return recipe


def evaluate(
    config: Mapping[str, Any],
    data: Path | None,
    checkpoint: Path | None,
    out: Path,
    device: str = "auto",
) -> Evaluation:
    """Measure a trained network on the test part of the data; pictures go to ``out``.

    ``checkpoint``: of the last stage; None measures the network as initialised. Raises
    TrainingError.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config["train"]["seed"])
        evaluation: Evaluation = _paper(config).evaluate(config, data, checkpoint, out, device)
    return evaluation


def dataset(config: Mapping[str, Any], data: Path | None, split: str) -> SampleDataset:
    """The samples of a configuration, ``split`` "train" or "test". Raises TrainingError."""
    from training.papers import sources

    return sources.samples(config, data, split)


def with_finetuning(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the paper's fine-tuning switched on. Raises TrainingError."""
    module = _paper(config)
    if not hasattr(module, "with_finetuning"):
        raise TrainingError(
            f"{config['paper']} has no fine-tuning procedure", "use a run of manga or video"
        )
    changed: dict[str, Any] = module.with_finetuning(config)
    return changed


def _paper(config: Mapping[str, Any]) -> ModuleType:
    name = config.get("paper")
    if name not in NAMES:
        raise TrainingError(f"there is no paper {name!r}", f"use one of {', '.join(NAMES)}")
    return import_module(f"training.papers.{name}")
