"""What the engine trains: a recipe of networks, tasks, step orders and optimisers.

A recipe is one stage of one preset. Papers put recipes together; the engine runs them and knows
no paper.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from training.errors import TrainingError

Batch = dict[str, Any]
Generated = dict[str, Tensor]
Side = Literal["real", "fake"]
ORDERS = ("GD", "DG", "D_split,G", "alternate", "G")


class Samples(Protocol):
    """Samples by (epoch, index); everything random in them follows from both."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: tuple[int, int], /) -> Batch: ...


@dataclass(frozen=True)
class Term:
    """One term of a loss: the raw mean (scalar tensor) and its weight in the sum."""

    raw: Tensor
    weight: float = 1.0

    @property
    def weighted(self) -> Tensor:
        return self.raw * self.weight


class Task(nn.Module, ABC):
    """What one iteration of a paper computes.

    Networks and loss modules are submodules, so that they follow the task to its device.
    ``trained`` are the networks of the generator step, ``critics`` those of the critic step,
    ``fixed`` those that stay in eval mode. ``critic_fake`` says in which mode the generator makes
    the critics' fakes when they are recomputed ("eval": batch norm by its running statistics).
    """

    trained: tuple[nn.Module, ...] = ()
    critics: tuple[nn.Module, ...] = ()
    fixed: tuple[nn.Module, ...] = ()
    critic_fake: Literal["train", "eval"] = "train"

    @abstractmethod
    def generate(self, batch: Batch) -> Generated:
        """Run the generator; the tensors that the terms need, by name."""

    @abstractmethod
    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        """Terms of the generator's loss by their log names: ``g/adv``, ``g/pixel``, ..."""

    def critic_terms(self, side: Side, batch: Batch, generated: Generated) -> dict[str, Term]:
        """Terms of the critics' loss of one side: ``d/real`` or ``d/fake`` (and penalties)."""
        raise NotImplementedError(f"{type(self).__name__} has no critic")

    @abstractmethod
    def preview(self, batch: Batch) -> list[Tensor]:
        """Columns of a picture grid, each (N, 1 or 3, H, W) in [0, 1]; called in eval mode."""

    def train(self, mode: bool = True) -> Task:
        super().train(mode)
        for module in self.fixed:
            module.eval()
        return self


@dataclass(frozen=True)
class LearningRate:
    """``base`` until the first change; ``changes`` are (from step, rate), steps ascending."""

    base: float
    changes: tuple[tuple[int, float], ...] = ()

    def at(self, step: int) -> float:
        rate = self.base
        for start, value in self.changes:
            if step >= start:
                rate = value
        return rate

    def times(self, factor: float, start: int) -> LearningRate:
        """The same plan with every rate from step ``start`` on multiplied by ``factor``."""
        before = tuple(change for change in self.changes if change[0] < start)
        after = tuple((step, rate * factor) for step, rate in self.changes if step > start)
        return LearningRate(self.base, (*before, (start, self.at(start) * factor), *after))


@dataclass(frozen=True)
class Optimiser:
    """Adam over the parameters of some networks of the recipe."""

    networks: tuple[str, ...]
    rate: LearningRate
    betas: tuple[float, float] = (0.5, 0.999)


@dataclass(frozen=True)
class Track:
    """Iterations of one kind: it takes the steps s from ``start`` up to, without, ``stop``
    (None: to the end) with s % every == phase.

    ``critic_steps`` critic updates, each on a fresh batch but the last, precede the generator's
    in the orders that begin with the critic.
    """

    name: str
    task: Task
    order: str
    dataset: Samples
    batch: int
    every: int = 1
    phase: int = 0
    start: int = 0
    stop: int | None = None
    critic_steps: int = 1
    generator_optimiser: str = "generator"
    critic_optimiser: str = "critic"

    def takes(self, step: int) -> bool:
        inside = step >= self.start and (self.stop is None or step < self.stop)
        return inside and step % self.every == self.phase


@dataclass
class Recipe:
    """One stage of training.

    ``tracks``: the first that takes a step runs it. ``averaged``: networks with an exponential
    moving average when ``train.ema`` is set. ``exports``: network -> (architecture name,
    constructor options), what becomes a safetensors file. ``degraded``: what was replaced or left
    out because something is absent. ``pretrained``: networks of others that it uses, with the
    digests of their files. ``architecture``: dotted configuration tables that a
    checkpoint must share with this recipe. ``base``: `checkpoint.origin` of the stage before.
    """

    paper: str
    stage: str
    config: dict[str, Any]
    networks: dict[str, nn.Module]
    tracks: list[Track]
    optimisers: dict[str, Optimiser]
    steps: int
    data_name: str
    data_hashes: dict[str, str] = field(default_factory=dict)
    degraded: list[str] = field(default_factory=list)
    pretrained: list[str] = field(default_factory=list)
    averaged: tuple[str, ...] = ("generator",)
    exports: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    architecture: tuple[str, ...] = ("model", "critic")
    base: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for track in self.tracks:
            if track.order not in ORDERS:
                raise TrainingError(
                    f"train.order is {track.order!r}", f"use one of {', '.join(ORDERS)}"
                )

    def track(self, step: int) -> Track:
        """The track that runs this step."""
        return next(track for track in self.tracks if track.takes(step))

    def parameters(self, names: Iterable[str]) -> list[nn.Parameter]:
        """Trainable parameters of the networks called ``names``."""
        return [
            parameter
            for name in names
            for parameter in self.networks[name].parameters()
            if parameter.requires_grad
        ]
