"""IBN-GAN: lightness to chroma with patch critics at one or three scales.

Górriz Blanch et al., "End-to-End Conditional GAN-based Architectures for Image Colourisation"
(MMSP 2019); sections of the specification in brackets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from backend.models.color import LabCodec
from training.engine import Batch, Generated, Recipe, Term, Track
from training.errors import TrainingError
from training.losses import PixelLoss
from training.papers import sources
from training.papers.pieces import (
    Adversarial,
    Config,
    Workshop,
    make_critic,
    make_network,
    make_optimisers,
    order_of,
    to_bytes,
    with_critic,
)
from training.papers.scoring import Evaluation, Examination, Scored
from training.pretrained import Degradations

CODEC = sources.CODECS["ibn_gan"]
_CRITIC_WEIGHT = 0.5  # one optimiser step on the mean of real and fake [5]


class ChromaTask(Adversarial):
    """Loss [5]: adversarial, summed over the critics, + 100 L1 on normalised ab, once."""

    def __init__(self, generator: nn.Module, critic: nn.Module | None, weights: Config) -> None:
        super().__init__(generator, critic, weights, critic_weight=_CRITIC_WEIGHT)
        self.pixel = PixelLoss("l1")
        self.critic_fake = weights["fake_mode"]

    def truth(self, batch: Batch) -> Tensor:
        target: Tensor = batch["ab"]
        return target

    def generate(self, batch: Batch) -> Generated:
        return {"main": self.generator(batch["gray"]).main}

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        logits: list[Tensor] = self.critic(torch.cat((batch["gray"], picture), 1))
        return logits

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        raw = self.pixel(generated["main"], batch["ab"])
        return {"g/pixel": Term(raw, self.weights["pixel"])}

    def preview(self, batch: Batch) -> list[Tensor]:
        main = self.generate(batch)["main"]
        return chroma_columns(CODEC, batch, main)


def chroma_columns(codec: LabCodec, batch: Batch, ab: Tensor) -> list[Tensor]:
    """Grey picture, coloured picture, truth: (B, 3, H, W) in [0, 1]."""
    gray = batch["gray"].float()
    return [
        codec.decode(gray, torch.zeros_like(batch["ab"])),
        codec.decode(gray, ab.float()),
        codec.decode(gray, batch["ab"].float()),
    ]


def stages(config: Config) -> list[str]:
    """One stage, when there are steps to take."""
    return ["main"] if config["train"]["steps"] else []


def check_size(config: Config) -> None:
    """Norms need more than one value at the deepest level [2]: instance norm of each picture,
    batch norm of all pictures of a batch. Raises TrainingError where they have one alone."""
    model, size = config["model"], config["data"]["size"]
    alone = model["norm"] == "instance" and model["in_scope"] == "channel"
    alone |= model["norm"] != "none" and config["train"]["batch"] == 1
    if alone and size <= 2 ** model["depth"]:
        raise TrainingError(
            f"data.size is {size}: {model['depth']} levels leave one value for a norm",
            f"use data.size >= {2 ** (model['depth'] + 1)} or a smaller model.depth",
        )


def build(shop: Workshop) -> Recipe:
    """The recipe of a row of Table I."""
    config = shop.config
    check_size(config)
    generator = make_network(config["model"])
    critic = make_critic(config["critic"], config["loss"]["adv"], config["data"]["size"])
    networks = with_critic({"generator": generator}, critic)
    shop.load_base(networks, ("model",))
    dataset = sources.samples(config, shop.data, "train")
    task = ChromaTask(generator, critic, config["loss"])
    steps = config["train"]["steps"]
    return Recipe(
        paper="ibn_gan",
        stage=shop.stage,
        config=shop.config,
        networks=networks,
        tracks=[Track("main", task, order_of(config, critic), dataset, config["train"]["batch"])],
        optimisers=make_optimisers(config, steps, {name: name for name in networks}),
        steps=steps,
        **sources.facts(shop.data, dataset),
        degraded=[*shop.degradations.lines(), *dataset.degraded],
        exports=sources.exports(config, {"generator": "model"}),
    )


def evaluate(
    config: Config, data: Path | None, path: Path | None, out: Path, device: str
) -> Evaluation:
    """On 8-bit pictures decoded with the true lightness [9]."""
    examination = Examination(config, out, device, Degradations())
    generator = make_network(config["model"])
    examination.load({"generator": generator}, path, config)
    dataset = sources.samples(config, data, "test")
    truncate = config["eval"]["truncate"]
    chosen = examination.choose(dataset)
    examination.keep_list(dataset, chosen)
    batches = examination.batches(dataset, chosen)
    coloured = chroma_scored(CODEC, generator, batches, truncate=truncate)
    return examination.score(coloured, config["eval"]["metrics"])


def chroma_scored(
    codec: LabCodec, generator: nn.Module, batches: Iterator[Batch], *, truncate: bool
) -> Iterator[Scored]:
    """Predicted chroma joined with the true lightness; both sides through the same 8 bits."""
    for batch in batches:
        gray, ours, truth = chroma_columns(codec, batch, generator(batch["gray"]).main)
        yield Scored(
            prediction=to_bytes(ours, truncate=truncate),
            target=to_bytes(truth, truncate=truncate),
            columns=[gray, ours, truth],
            names=batch["name"],
        )
