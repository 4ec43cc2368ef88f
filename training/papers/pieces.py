"""What the papers' recipes are put together from: networks, critics, losses, optimisers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backend.models import architectures
from training.critics import named_critic
from training.critics.sizes import check_size
from training.engine import (
    Batch,
    Generated,
    LearningRate,
    Optimiser,
    Side,
    Task,
    Term,
    checkpoint,
)
from training.errors import TrainingError
from training.features import load_features
from training.losses import FeatureLosses, GANLoss, PerceptualLoss, StyleLoss
from training.pretrained import Degradations
from training.ranges import require

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Workshop:
    """What every recipe of a paper is built from.

    ``stage`` is main, refine or finetune; ``base`` the checkpoint of the stage before.
    """

    config: dict[str, Any]
    data: Path | None
    stage: str
    base: Path | None
    degradations: Degradations = field(default_factory=Degradations)

    def network(self, table: Config) -> nn.Module:
        """The network of a ``model`` table: its name and constructor options."""
        return make_network(table)

    @cached_property
    def base_state(self) -> dict[str, Any] | None:
        """The checkpoint of the stage before, if there is one. Raises TrainingError."""
        return None if self.base is None else checkpoint.load(self.base)

    def load_base(self, networks: Mapping[str, nn.Module], tables: tuple[str, ...]) -> None:
        """Fill the networks from the checkpoint of the stage before, if there is one.

        A network that it lacks stays as initialised, which is recorded. Raises TrainingError.
        """
        if self.base is None or self.base_state is None:
            return
        for name in checkpoint.fill(self.base, self.base_state, networks, self.config, tables):
            self.degradations.note(name, "untrained", f"{self.base} holds none")


def make_network(table: Config) -> nn.Module:
    """Build an architecture by name. Raises TrainingError for a wrong name or option."""
    options = {key: value for key, value in table.items() if key != "name"}
    try:
        return architectures.build(table["name"], options)
    except (ValueError, TypeError) as error:
        raise TrainingError(f"model {table['name']}: {error}", "correct the model table") from error


def make_critic(table: Config, weight: float, size: int) -> nn.Module | None:
    """The critic of a ``critic`` table; None when the adversarial weight is 0.

    Raises TrainingError if pictures of ``size`` pixels a side are too small for it.
    """
    form = table.get("form", "none")
    if form == "none" or not weight:
        return None
    critic = named_critic(form, {key: value for key, value in table.items() if key != "form"})
    check_size(critic, size)
    return critic


def make_optimisers(
    config: Config, steps: int, names: Config, start: int = 0
) -> dict[str, Optimiser]:
    """Adam for each of ``names`` (optimiser -> network), by ``optim.generator`` and so on.

    Rates decay over the ``steps`` from ``start`` on. Raises TrainingError for values that Adam
    does not take.
    """
    optimisers = {}
    for name, network in names.items():
        own = "critic" if "critic" in name else "generator"
        base = config["optim"][own]["lr"]
        require(f"optim.{own}.lr", base, 0)
        rate = decayed(LearningRate(base), config, steps, start)
        optimisers[name] = Optimiser((network,), rate, adam_betas(config, own))
    return optimisers


def adam_betas(config: Config, own: str) -> tuple[float, float]:
    """``betas`` of the table ``optim.generator`` or ``optim.critic``. Raises TrainingError."""
    betas = config["optim"][own]["betas"]
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise TrainingError(
            f"optim.{own}.betas is {betas}", "give two numbers, each at least 0 and below 1"
        )
    return float(betas[0]), float(betas[1])


def decayed(rate: LearningRate, config: Config, steps: int, start: int = 0) -> LearningRate:
    """The rate times ``optim.decay_factor`` from the share ``optim.decay_at`` (0: never) of the
    ``steps`` from ``start`` on."""
    settings = config["optim"]
    if not settings["decay_at"]:
        return rate
    return rate.times(settings["decay_factor"], start + round(settings["decay_at"] * steps))


def make_feature_losses(
    loss: Config,
    arch: str,
    taps: tuple[str, ...],
    kind: str,
    degradations: Degradations,
) -> FeatureLosses | None:
    """Perceptual loss of ``kind`` and style loss, those with a weight; None when none is left.

    ``loss.features`` says what stands in for absent VGG weights: "pretrained" or "none" nothing
    (the terms are 0), "random" or "squeezenet" another network. It is recorded.
    """
    terms = tuple(name for name in ("perceptual", "style") if loss.get(name))
    if not terms:
        return None
    rule = loss["features"] if loss["features"] in ("random", "squeezenet") else "none"
    features = load_features(
        arch,
        taps,
        input_mode=loss["vgg_input"],
        offline=rule,
        degradations=degradations,
        terms=terms,
    )
    if features is None:
        return None
    return FeatureLosses(
        features,
        perceptual=PerceptualLoss(kind) if "perceptual" in terms else None,
        style=StyleLoss() if "style" in terms else None,
    )


class Adversarial(Task):
    """A generator with an optional critic: the adversarial terms that the papers share.

    ``weights`` is the ``loss`` table. ``features`` are losses in a network's features.
    ``critic_weight`` is that of both sides of the critic's loss.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        weights: Config,
        features: FeatureLosses | None = None,
        critic_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.trained = (generator,)
        self.critics = () if critic is None else (critic,)
        self.weights = dict(weights)
        self.gan = None
        if critic is not None:
            self.gan = GANLoss(weights["gan"], real_label=weights["real_label"])
        self.critic_weight = critic_weight
        self.feature_losses = features
        self.feature_network = None if features is None else features.features

    def truth(self, batch: Batch) -> Tensor:
        """What the generator should have made."""
        target: Tensor = batch["color"]
        return target

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        """The critics' logits for a picture in the light of its condition."""
        raise NotImplementedError

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        terms = self.adversarial_terms(batch, generated)
        return terms | self.picture_terms(batch, generated)

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        """The terms that compare the picture with the truth."""
        raise NotImplementedError

    def adversarial_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        if self.gan is None:
            return {}
        raw = self.gan.generator(self.judge(batch, generated["main"]))
        return {"g/adv": Term(raw, self.weights["adv"])}

    def feature_terms(self, generated: Tensor, target: Tensor) -> dict[str, Term]:
        """Perceptual and style terms, where they are on."""
        if self.feature_losses is None:
            return {}
        raws = self.feature_losses(generated, target)
        return {f"g/{name}": Term(raw, self.weights[name]) for name, raw in raws.items()}

    def critic_terms(self, side: Side, batch: Batch, generated: Generated) -> dict[str, Term]:
        """The sum over the critics; of several, each is told apart with weight 0: ``d0/real``."""
        if self.gan is None:
            raise TrainingError("there is no critic to train", "use train.order=G")
        picture = self.truth(batch) if side == "real" else generated["main"]
        logits = self.judge(batch, picture)
        terms = {f"d/{side}": Term(_of_side(self.gan, side, logits), self.critic_weight)}
        if len(logits) > 1:
            for number, one in enumerate(logits):
                terms[f"d{number}/{side}"] = Term(_of_side(self.gan, side, [one.detach()]), 0.0)
        return terms


def _of_side(gan: GANLoss, side: Side, logits: list[Tensor]) -> Tensor:
    real, fake = gan.critic(logits, logits)
    return real if side == "real" else fake


def order_of(config: Config, critic: nn.Module | None) -> str:
    """``train.order``; without a critic there is only the generator's step."""
    order: str = config["train"]["order"] if critic is not None else "G"
    return order


def with_critic(networks: dict[str, nn.Module], critic: nn.Module | None) -> dict[str, nn.Module]:
    """The networks and, where there is one, the critic."""
    return networks if critic is None else {**networks, "critic": critic}


def unit(picture: Tensor) -> Tensor:
    """[-1, 1] to [0, 1], clamped."""
    return ((picture.float() + 1) / 2).clamp(0, 1)


def to_bytes(picture: Tensor, *, truncate: bool = False) -> Tensor:
    """[0, 1] to uint8, rounded as a PNG is saved (or truncated, as one release does)."""
    scaled = picture.float().clamp(0, 1) * 255
    return (scaled if truncate else scaled.round()).to(torch.uint8)
