"""MangaGAN: pages from XDoG, distance field and hints; alternate batches; fine-tuning on manga.

Golyadkin and Makarov, "Semi-automatic Manga Colorization Using Conditional Adversarial Networks"
(AIST 2020); sections of the specification in brackets. Also trains the AlacGAN baseline of
Table 1. Stages: ``main``, then ``finetune`` on black-and-white pages [5.1].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training.data import SampleDataset
from training.engine import (
    Batch,
    Generated,
    LearningRate,
    Optimiser,
    Recipe,
    Side,
    Term,
    Track,
)
from training.errors import TrainingError
from training.extractor import load_extractor
from training.losses import FeatureLosses, PixelLoss, WhitePenalty, drift, gradient_penalty
from training.papers import sources
from training.papers.manga_evaluation import evaluate as evaluate
from training.papers.pieces import (
    Adversarial,
    Config,
    Workshop,
    adam_betas,
    make_critic,
    make_feature_losses,
    make_network,
    make_optimisers,
    order_of,
    unit,
    with_critic,
)
from training.ranges import require

ALACGAN = "alacgan"
FINETUNE = "finetune"
_GRADIENT_PENALTY, _DRIFT = 10.0, 1e-3


class MangaTask(Adversarial):
    """Loss [3]: 10 (L1 + 0.9 L1 of the auxiliary picture) + perceptual + adversarial + white.

    ``loss.pixel_kind`` "mse" is ours: where most of a picture is white, L1 ends in white alone.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        weights: Config,
        features: FeatureLosses | None,
    ) -> None:
        super().__init__(generator, critic, weights, features)
        self.pixel = PixelLoss(weights["pixel_kind"])
        self.white = WhitePenalty(mask=weights["white_mask"])

    def generate(self, batch: Batch) -> Generated:
        output = self.generator(batch["line"], batch["distance"], batch["hint"])
        return {"main": output.main} | ({} if output.aux is None else {"aux": output.aux})

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        logits: list[Tensor] = self.critic(picture)
        return logits

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, target = generated["main"], batch["color"]
        terms = {"g/pixel": Term(self.pixel(main, target), self.weights["pixel"])}
        if "aux" in generated and self.weights["aux"]:
            terms["g/aux"] = Term(self.pixel(generated["aux"], target), self.weights["aux"])
        if self.weights["white"]:
            terms["g/white"] = Term(self.white(main, target), self.weights["white"])
        return terms | self.feature_terms(main, target)

    def preview(self, batch: Batch) -> list[Tensor]:
        main = self.generate(batch)["main"]
        return [batch["line"], unit(batch["hint"][:, :3]), unit(main), unit(batch["color"])]


class PageTask(MangaTask):
    """Black-and-white pages with empty hints: the generator gets the adversarial term alone."""

    def generate(self, batch: Batch) -> Generated:
        empty = torch.zeros_like(batch["hint"])
        return super().generate({**batch, "hint": empty})

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        return {}


class AlacTask(MangaTask):
    """AlacGAN [7]: WGAN-GP on the features of the drawing, perceptual loss, no L1."""

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        return self.feature_terms(generated["main"], batch["color"])

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        logits: list[Tensor] = self.critic(picture, self._features(batch))
        return logits

    def critic_terms(self, side: Side, batch: Batch, generated: Generated) -> dict[str, Term]:
        terms = super().critic_terms(side, batch, generated)
        if side == "real":
            logits = self.judge(batch, batch["color"])
            return {**terms, "d/drift": Term(drift(logits), _DRIFT)}
        raw = gradient_penalty(
            lambda picture: self.judge(batch, picture), batch["color"], generated["main"]
        )
        return {**terms, "d/penalty": Term(raw, _GRADIENT_PENALTY)}

    def _features(self, batch: Batch) -> Tensor:
        with torch.no_grad():
            features: Tensor = self.generator.encode_page(batch["line"])  # type: ignore[operator]
        return features


def stages(config: Config) -> list[str]:
    """main, and finetune unless ``finetune.mode`` is off.

    Raises TrainingError for values that fine-tuning cannot have, before anything is trained.
    """
    if not config["train"]["steps"]:
        return []
    mode = config["finetune"]["mode"]
    if mode not in ("off", "on"):
        raise TrainingError(f"finetune.mode is {mode!r}", "use on or off")
    if mode == "off":
        return ["main"]
    _check_finetuning(config)
    return ["main", FINETUNE]


def with_finetuning(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with fine-tuning on."""
    return {**config, "finetune": {**config["finetune"], "mode": "on"}}


def build(shop: Workshop) -> Recipe:
    """One stage of a row of Table 1."""
    config = shop.config
    if shop.stage == FINETUNE:
        _check_finetuning(config)
    generator = make_network(config["model"])
    load_extractor(generator, shop.degradations)
    critic = make_critic(config["critic"], config["loss"]["adv"], config["data"]["size"])
    networks = with_critic({"generator": generator}, critic)
    shop.load_base(networks, ("model",))
    features = make_feature_losses(config["loss"], "vgg16", ("relu2_2",), "mse", shop.degradations)
    kind = AlacTask if config["model"]["name"] == ALACGAN else MangaTask
    task = kind(generator, critic, config["loss"], features)
    dataset = sources.samples(config, shop.data, "train")
    for name, path in dataset.pretrained.items():
        shop.degradations.use(name, path)
    order = order_of(config, critic)
    tracks = [Track("main", task, order, dataset, config["train"]["batch"])]
    steps = config["train"]["steps"]
    optimisers = make_optimisers(config, steps, {name: name for name in networks})
    pages: dict[str, SampleDataset] = {}
    if shop.stage == FINETUNE:
        steps = config["finetune"]["steps"]
        pages["pages"] = sources.monochrome_pages(config, shop.data)
        tracks.insert(0, _page_track(config, generator, critic, pages["pages"]))
        optimisers = _finetune_optimisers(config)
    return Recipe(
        paper="manga",
        stage=shop.stage,
        config=shop.config,
        networks=networks,
        tracks=tracks,
        optimisers=optimisers,
        steps=steps,
        **sources.facts(shop.data, dataset, **pages),
        degraded=[*shop.degradations.lines(), *dataset.degraded],
        exports=sources.exports(config, {"generator": "model"}),
    )


def _check_finetuning(config: Config) -> None:
    """Raise TrainingError unless the configuration can be fine-tuned."""
    if config["model"]["name"] == ALACGAN:
        raise TrainingError(
            "AlacGAN has no fine-tuning in the paper",
            "use another row of manga, or finetune.mode=off",
        )
    if not config["loss"]["adv"] or config["critic"].get("form", "none") == "none":
        raise TrainingError(
            "fine-tuning needs a critic", "set loss.adv above 0, or finetune.mode=off"
        )
    settings = config["finetune"]
    for name in ("steps", "lr_generator", "lr_critic", "lr_adversarial"):
        require(f"finetune.{name}", settings[name], 0)
    for name in ("every", "critic_steps"):
        require(f"finetune.{name}", settings[name], 1)
    every = settings["every"]
    if not 0 <= settings["phase"] < every:
        raise TrainingError(
            f"finetune.phase is {settings['phase']}",
            f"use 0 to {every - 1}, for it counts within finetune.every={every}",
        )


def _page_track(
    config: Config, generator: nn.Module, critic: nn.Module | None, pages: SampleDataset
) -> Track:
    """One step in ``every``: the critic's steps on pages, then the generator's."""
    settings = config["finetune"]
    return Track(
        "pages",
        PageTask(generator, critic, config["loss"], None),
        "DG",
        pages,
        config["train"]["batch"],
        every=settings["every"],
        phase=settings["phase"],
        critic_steps=settings["critic_steps"],
        generator_optimiser="generator_pages",
    )


def _finetune_optimisers(config: Config) -> dict[str, Optimiser]:
    """Two Adam states of the generator: one for colour pages, one for the adversarial steps."""
    settings = config["finetune"]

    def adam(network: str, rate: float) -> Optimiser:
        return Optimiser((network,), LearningRate(rate), adam_betas(config, network))

    return {
        "generator": adam("generator", settings["lr_generator"]),
        "critic": adam("critic", settings["lr_critic"]),
        "generator_pages": adam("generator", settings["lr_adversarial"]),
    }
