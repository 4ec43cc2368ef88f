"""AALDC: how line, warped reference, patch critic and five losses become a recipe.

Cao, Tian and Mok, "Attention-Aware Anime Line Drawing Colorization" (ICME 2023); sections of the
specification in brackets. Also trains the line extractor [5.1], which has no critic.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from training.engine import Batch, Generated, Recipe, Task, Term, Track
from training.features import LAST_RELUS_19
from training.losses import CorrespondenceTriplet, FeatureLosses, PixelLoss, positive_cells
from training.papers import sources
from training.papers.pieces import (
    Adversarial,
    Config,
    Workshop,
    make_critic,
    make_feature_losses,
    make_network,
    make_optimisers,
    order_of,
    to_bytes,
    unit,
    with_critic,
)
from training.papers.scoring import Evaluation, Examination, Scored, derangement, merged
from training.pretrained import Degradations

STRIDE = 16  # of the tokens that the triplet loss compares
LINE_EXTRACTOR = "line_extractor"


class ColorizerTask(Adversarial):
    """Loss [4]: L_adv + 30 L_rec + 0.01 L_perc + 50 L_style (+ triplet in the SCFT rows)."""

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        weights: Config,
        features: FeatureLosses | None,
    ) -> None:
        super().__init__(generator, critic, weights, features)
        self.pixel = PixelLoss("l1")
        mode = weights["triplet_mode"] if weights["triplet"] else "none"
        self.triplet = CorrespondenceTriplet(mode, margin=weights["triplet_margin"])

    def generate(self, batch: Batch) -> Generated:
        references = self.generator.encode_references(batch["reference"])  # type: ignore[operator]
        output = self.generator.forward_with(batch["line"], references)  # type: ignore[operator]
        generated = {"main": output.main}
        if output.query is not None and self.weights["triplet"]:
            generated |= {"query": output.query, "key": output.key}
            generated["value"] = references.values[0]
        return generated

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        logits: list[Tensor] = self.critic(torch.cat((picture, batch["line"]), 1))
        return logits

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, target = generated["main"], batch["color"]
        terms = {"g/pixel": Term(self.pixel(main, target), self.weights["pixel"])}
        terms |= self.feature_terms(main, target)
        if "query" in generated:
            raw = self.triplet(
                generated["query"],
                generated["key"],
                self._positives(batch, main.shape),
                generated["value"],
            )
            terms["g/triplet"] = Term(raw, self.weights["triplet"])
        return terms

    def preview(self, batch: Batch) -> list[Tensor]:
        main = self.generate(batch)["main"]
        return [unit(x) for x in (batch["line"], batch["reference"], main, batch["color"])]

    def _positives(self, batch: Batch, shape: torch.Size) -> Tensor | None:
        if self.triplet.mode != "tps":
            return None
        return positive_cells(batch["triplet"], (shape[-2] // STRIDE, shape[-1] // STRIDE))


class LineTask(Task):
    """Colour picture to line drawing: L1 + 0.01 perceptual on the line as three channels [5.1]."""

    def __init__(
        self, generator: nn.Module, weights: Config, features: FeatureLosses | None
    ) -> None:
        super().__init__()
        self.generator = generator
        self.trained = (generator,)
        self.weights = dict(weights)
        self.pixel = PixelLoss("l1")
        self.features = features
        self.feature_network = None if features is None else features.features

    def generate(self, batch: Batch) -> Generated:
        return {"main": self.generator(batch["color"]).main}

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, line = generated["main"], batch["line"]
        terms = {"g/pixel": Term(self.pixel(main, line), self.weights["pixel"])}
        if self.features is not None:
            raws = self.features(main.expand(-1, 3, -1, -1), line.expand(-1, 3, -1, -1))
            terms |= {f"g/{name}": Term(raw, self.weights[name]) for name, raw in raws.items()}
        return terms

    def preview(self, batch: Batch) -> list[Tensor]:
        return [unit(x) for x in (batch["color"], self.generate(batch)["main"], batch["line"])]


def stages(config: Config) -> list[str]:
    """One stage, when there are steps to take."""
    return ["main"] if config["train"]["steps"] else []


def build(shop: Workshop) -> Recipe:
    """The recipe of a row of Table I, or of the line extractor."""
    config = shop.config
    generator = make_network(config["model"])
    features = make_feature_losses(config["loss"], "vgg19", LAST_RELUS_19, "l1", shop.degradations)
    dataset = sources.samples(config, shop.data, "train")
    critic = None
    task: Task
    if config["model"]["name"] == LINE_EXTRACTOR:
        task = LineTask(generator, config["loss"], features)
    else:
        critic = make_critic(config["critic"], config["loss"]["adv"], config["data"]["size"])
        task = ColorizerTask(generator, critic, config["loss"], features)
    networks = with_critic({"generator": generator}, critic)
    shop.load_base(networks, ("model",))
    steps = config["train"]["steps"]
    track = Track("main", task, order_of(config, critic), dataset, config["train"]["batch"])
    return Recipe(
        paper="aaldc",
        stage=shop.stage,
        config=shop.config,
        networks=networks,
        tracks=[track],
        optimisers=make_optimisers(config, steps, {name: name for name in networks}),
        steps=steps,
        **sources.facts(shop.data, dataset),
        degraded=[*shop.degradations.lines(), *dataset.degraded],
        exports=sources.exports(config, {"generator": "model"}),
    )


def evaluate(
    config: Config, data: Path | None, path: Path | None, out: Path, device: str
) -> Evaluation:
    """Self-reference for the metrics by pairs, random references for FID [7]."""
    degradations = Degradations()
    examination = Examination(config, out, device, degradations)
    generator = make_network(config["model"])
    examination.load({"generator": generator}, path, config)
    dataset = sources.samples(config, data, "test")
    names = config["eval"]["metrics"]
    chosen = examination.choose(dataset)
    if config["model"]["name"] == LINE_EXTRACTOR:
        lines = _lines(generator, examination.batches(dataset, chosen))
        return examination.score(lines, names, own={"l1": mean_error})
    paired = [name for name in names if not name.startswith("fid")]
    random = [name for name in names if name.startswith("fid")]
    done = []
    if "self" in config["eval"]["references"] and paired:
        coloured = _coloured(generator, examination.batches(dataset, chosen), None)
        done.append(examination.score(coloured, paired, "self-reference"))
    if "random" in config["eval"]["references"] and random:
        partners = [chosen[i] for i in derangement(len(chosen), config["eval"]["seed"])]
        coloured = _coloured(
            generator, examination.batches(dataset, chosen), examination.batches(dataset, partners)
        )
        done.append(examination.score(coloured, random, "random-reference"))
    return merged(done)


def _coloured(
    generator: nn.Module, batches: Iterator[Batch], partners: Iterator[Batch] | None
) -> Iterator[Scored]:
    for batch in batches:
        # the drawing's own colours, not warped
        reference = batch["color"] if partners is None else next(partners)["color"]
        main = unit(generator(batch["line"], reference).main)
        yield Scored(
            prediction=to_bytes(main),
            target=to_bytes(unit(batch["color"])),
            columns=[unit(batch["line"]), unit(reference), main, unit(batch["color"])],
            names=batch["name"],
            regions=batch.get("regions"),
            fid_reference=to_bytes(unit(reference)),
        )


def mean_error(ours: Tensor, truth: Tensor) -> Tensor:
    """L1 of 8-bit pictures (B, 3, H, W) in units of [0, 1], (B): how lines are measured [5.1]."""
    return (ours.float() - truth.float()).abs().mean((1, 2, 3)) / 255


def _lines(generator: nn.Module, batches: Iterator[Batch]) -> Iterator[Scored]:
    for batch in batches:
        main, line = unit(generator(batch["color"]).main), unit(batch["line"])
        yield Scored(
            prediction=to_bytes(main.expand(-1, 3, -1, -1)),
            target=to_bytes(line.expand(-1, 3, -1, -1)),
            columns=[unit(batch["color"]), main, line],
            names=batch["name"],
        )
