"""The five step orders: which network is updated when, and on which fakes.

Source: shared ground of the five specifications, part 13. ``GD``: generator, then critics on the
same detached fake (aaldc). ``DG``: critics on a fake recomputed without gradient, then generator
(video). ``D_split,G``: the critics take one optimiser step on the real and one on the fake side
(ibn_gan release). ``alternate``: even steps update the critics, odd ones the generator (manga).
``G``: no critic (smsanet, line extractor).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import Optimizer

from .recipe import Batch, Generated, Side, Task, Term, Track

SIDES: tuple[Side, ...] = ("real", "fake")


class NotFinite(Exception):
    """A term of a loss is not a finite number; no weight has been touched with it."""

    def __init__(self, terms: Iterable[str]) -> None:
        self.terms = list(terms)
        super().__init__(", ".join(self.terms))


class Turn:
    """One step of one track; ``values`` collects the terms, weighted and raw, as floats."""

    def __init__(
        self,
        track: Track,
        step: int,
        fabric: Fabric,
        optimisers: dict[str, Optimizer],
        next_batch: Callable[[], Batch],
    ) -> None:
        self.track = track
        self.step = step
        self.next_batch = next_batch
        self.values: dict[str, float] = {}
        self._fabric = fabric
        self._optimisers = optimisers

    @property
    def task(self) -> Task:
        return self.track.task

    def run(self) -> dict[str, float]:
        """Run the step; returns the values. Raises NotFinite before a weight is spoiled."""
        self.task.train()
        _ORDERS[self.track.order](self)
        return self.values

    def generator_step(self, batch: Batch) -> Generated:
        """Update the generator; the critics only judge."""
        with without_gradient(self.task.critics):
            with self._fabric.autocast():
                generated = self.task.generate(batch)
                terms = self.task.generator_terms(batch, generated)
            self._update(self.track.generator_optimiser, terms, "g/total")
        return generated

    def critic_step(
        self, batch: Batch, generated: Generated, sides: tuple[Side, ...] = SIDES
    ) -> None:
        """Update the critics on the given sides; ``generated`` carries no gradient."""
        terms: dict[str, Term] = {}
        with self._fabric.autocast():
            for side in sides:
                terms |= self.task.critic_terms(side, batch, generated)
        self._update(self.track.critic_optimiser, terms, "d/total")

    def fake(self, batch: Batch) -> Generated:
        """Fakes for the critics from a forward of their own, without gradient."""
        evaluated = self.task.trained if self.task.critic_fake == "eval" else ()
        with torch.no_grad(), in_eval_mode(evaluated), self._fabric.autocast():
            return self.task.generate(batch)

    def _update(self, name: str, terms: dict[str, Term], total_name: str) -> None:
        self._note(terms, total_name)
        optimiser = self._optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        total = torch.stack([term.weighted.float() for term in terms.values()]).sum()
        self._fabric.backward(total)
        if self._fabric.world_size > 1:
            self._average_gradients(optimiser)
        optimiser.step()

    def _note(self, terms: dict[str, Term], total_name: str) -> None:
        raws = torch.stack([term.raw.detach().float() for term in terms.values()]).tolist()
        broken = [name for name, raw in zip(terms, raws, strict=True) if not math.isfinite(raw)]
        if broken:
            raise NotFinite(broken)
        total = 0.0
        for (name, term), raw in zip(terms.items(), raws, strict=True):
            self.values[name] = raw * term.weight
            self.values[f"{name}_raw"] = raw
            total += raw * term.weight
        self.values[total_name] = self.values.get(total_name, 0.0) + total

    def _average_gradients(self, optimiser: Optimizer) -> None:
        # One sum by hand instead of DistributedDataParallel: generator and critic take turns with
        # frozen halves and several passes a step, which its bookkeeping does not allow.
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        mean = self._fabric.all_reduce(flat, reduce_op="mean")
        assert isinstance(mean, torch.Tensor)
        pieces = mean.split([p.numel() for p in parameters])
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.grad = piece.view_as(parameter)


def _generator_then_critic(turn: Turn) -> None:
    batch = turn.next_batch()
    generated = turn.generator_step(batch)
    turn.critic_step(batch, {name: value.detach() for name, value in generated.items()})


def _critic_then_generator(turn: Turn) -> None:
    batch = turn.next_batch()
    for number in range(turn.track.critic_steps):
        batch = turn.next_batch() if number else batch
        turn.critic_step(batch, turn.fake(batch))
    turn.generator_step(batch)


def _split_critic_then_generator(turn: Turn) -> None:
    batch = turn.next_batch()
    generated = turn.fake(batch)
    for side in SIDES:
        turn.critic_step(batch, generated, (side,))
    turn.generator_step(batch)


def _alternate(turn: Turn) -> None:
    batch = turn.next_batch()
    if turn.step % 2 == 0:
        turn.critic_step(batch, turn.fake(batch))
    else:
        turn.generator_step(batch)


def _generator_alone(turn: Turn) -> None:
    turn.generator_step(turn.next_batch())


_ORDERS: dict[str, Callable[[Turn], None]] = {
    "GD": _generator_then_critic,
    "DG": _critic_then_generator,
    "D_split,G": _split_critic_then_generator,
    "alternate": _alternate,
    "G": _generator_alone,
}


@contextmanager
def without_gradient(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Gradient passes through the modules but is not kept for their parameters."""
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def in_eval_mode(modules: Iterable[nn.Module]) -> Iterator[None]:
    """The modules evaluate inside and are put back into the mode of each of their parts."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    for part, _ in modes:
        part.training = False
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
