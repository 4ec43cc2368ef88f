"""What changes while a recipe is trained: all that a checkpoint must hold."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from training.errors import TrainingError

from . import checkpoint
from .average import Average
from .recipe import Recipe

_log = logging.getLogger("nuri.training")


@dataclass
class RunState:
    """Networks and optimisers of a recipe, steps done, and batches taken by each track.

    Random generators have no state of their own: they are seeded by ``train.seed`` and the step.
    """

    recipe: Recipe
    optimisers: dict[str, Optimizer]
    average: Average | None
    step: int = 0
    taken: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = {track.name: 0 for track in self.recipe.tracks}

    def as_dict(self) -> dict[str, Any]:
        """Tensors and plain values, which torch reads back without running code."""
        recipe = self.recipe
        return {
            "paper": recipe.paper,
            "stage": recipe.stage,
            "step": self.step,
            "base": recipe.base,
            "networks": {name: net.state_dict() for name, net in recipe.networks.items()},
            "average": {} if self.average is None else self.average.state_dict(),
            "optimisers": {name: opt.state_dict() for name, opt in self.optimisers.items()},
            "batches": dict(self.taken),
            "rng": {"seed": recipe.config["train"]["seed"]},
            "config": recipe.config,
            "metadata": {
                "exports": {name: list(export) for name, export in recipe.exports.items()},
                "data": {"name": recipe.data_name, "hashes": recipe.data_hashes},
                "degraded": list(recipe.degraded),
                "pretrained": list(recipe.pretrained),
            },
        }

    def restore(self, path: Path, *, quiet: bool = False) -> None:
        """Take everything from a checkpoint of the same stage, architecture and base.

        One of another base is left alone, so that the stage begins anew, which is logged in one
        line unless ``quiet``. Raises TrainingError that names the difference in stage or
        architecture.
        """
        state, recipe = checkpoint.load(path), self.recipe
        if (state["paper"], state["stage"]) != (recipe.paper, recipe.stage):
            raise TrainingError(
                f"{path} is of {state['paper']} {state['stage']}, "
                f"this run is {recipe.paper} {recipe.stage}",
                "choose another run folder",
            )
        if recipe.base is not None and state.get("base") != recipe.base:
            if not quiet:
                _log.warning("%s", _anew(path, state.get("base"), recipe))
            return
        checkpoint.compare(path, state["config"], recipe.config, recipe.architecture)
        for name, network in recipe.networks.items():
            checkpoint.load_network(path, name, network, state["networks"].get(name, {}))
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.taken |= state["batches"]
        self.step = state["step"]


def _anew(path: Path, base: dict[str, Any] | None, recipe: Recipe) -> str:
    return f"{path.parent} was trained on {_base(base)} and is trained anew on {_base(recipe.base)}"


def _base(base: dict[str, Any] | None) -> str:
    if base is None:
        return "a base that it does not name"
    return f"step {base['step']} of {base['stage']} ({base['digest'][:8]})"
