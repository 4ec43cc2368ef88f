"""How the region matcher is trained: cross entropy on the paint of regions and of pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.matching import Drawing, RegionMatcher
from training.engine import Batch, Generated, LearningRate, Optimiser, Recipe, Task, Term, Track

from .drawings import find_subjects
from .samples import IGNORE, NONE, MatchingPairs, Mixture

_FIELDS = ("picture", "label", "facts", "point", "color", "valid")
_EPOCH = 4096
_LEAST = 1e-5  # of a probability


class MatchingTask(Task):
    """Log-loss of the paint that the matched source regions have, over regions and pixels."""

    def __init__(self, matcher: RegionMatcher, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.generator = matcher
        self.trained: tuple[nn.Module, ...] = (matcher,)
        self.weights = dict(weights)

    def generate(self, batch: Batch) -> Generated:
        seen = self.generator.features(drawing_of(batch, "target"))
        output = self.generator.match(seen, self.generator.features(drawing_of(batch, "source")))
        places = batch["pixel"]
        pixels = seen.pixels.flatten(2).transpose(1, 2)
        pixels = torch.gather(pixels, 1, places[..., None].expand(-1, -1, pixels.shape[-1]))
        owner = torch.gather(batch["target_label"].flatten(1), 1, places).sub(1).clamp(min=0)
        return {
            "main": output.regions,
            "pixels": self.generator.pixel_matches(pixels, owner, output),
        }

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        paint, valid = batch["paint"], batch["source_valid"]
        region = paint_loss(generated["main"], paint, valid, batch["truth"])
        weight = batch["weight"] * (batch["truth"] != IGNORE)
        pixel = paint_loss(generated["pixels"], paint, valid, batch["pixel_truth"])
        counted = (batch["pixel_truth"] != IGNORE).float()
        with torch.no_grad():
            right = ((region < math.log(2)).float() * weight).sum() / weight.sum().clamp(min=1)
        return {
            "g/region": Term((region * weight).sum() / weight.sum().clamp(min=1)),
            "g/pixel": Term(
                (pixel * counted).sum() / counted.sum().clamp(min=1), self.weights["pixel"]
            ),
            "g/right": Term(right, 0.0),
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        picture = batch["target_picture"]
        return [1 - picture[:, :1], batch["source_picture"][:, 1:4]]


def drawing_of(batch: Batch, side: str) -> Drawing:
    """The drawing called ``side`` of a batch of `MatchingPairs`."""
    return Drawing(**{name: batch[f"{side}_{name}"] for name in _FIELDS})


def paint_loss(scores: Tensor, paint: Tensor, valid: Tensor, truth: Tensor) -> Tensor:
    """Negative log-likelihood (B, N) of the true paint.

    scores: (B, N, M + 1) log-probabilities. paint: (B, M). valid: (B, M). truth: (B, N), of which
    NONE means the last column and IGNORE anything.
    """
    odds = scores.float().exp()
    same = (paint[:, None] == truth[..., None]) & valid[:, None]
    likely = (odds[..., :-1] * same).sum(-1)
    likely = torch.where(truth == NONE, odds[..., -1], likely)
    return -likely.clamp(min=_LEAST).log()


def build(config: Mapping[str, Any], data: Path, cache: Path, split: str = "train") -> Recipe:
    """The recipe. ``cache``: folder for prepared drawings. Raises TrainingError."""
    model, train, own = config["model"], config["train"], config["data"]
    options = {key: value for key, value in model.items() if key != "name"}
    torch.manual_seed(train["seed"])
    matcher = RegionMatcher(**options)
    mixture = Mixture(**{field.name: own[field.name] for field in fields(Mixture)})
    subjects = find_subjects(data, split)
    pairs = MatchingPairs(subjects, cache, count=_EPOCH, seed=own["seed"], mixture=mixture)
    task = MatchingTask(matcher, config["loss"])
    return Recipe(
        paper="matching",
        stage="main",
        config=dict(config),
        networks={"generator": matcher},
        tracks=[Track("main", task, "G", pairs, train["batch"])],
        optimisers={
            "generator": Optimiser(("generator",), cosine(config), (0.9, 0.99)),
        },
        steps=train["steps"],
        data_name=f"{len(subjects)} subjects of {data}",
        exports={"generator": ("matching", options)},
        architecture=("model",),
    )


def cosine(config: Mapping[str, Any]) -> LearningRate:
    """The rate: up in even steps, then down along a cosine."""
    peak, warm, steps = config["optim"]["lr"], config["optim"]["warm_up"], config["train"]["steps"]
    changes = [(round(warm * i / 8), peak * (i + 1) / 9) for i in range(1, 8)]
    for i in range(64):
        at = warm + round((steps - warm) * i / 64)
        changes.append((at, peak * (0.02 + 0.98 * (1 + math.cos(math.pi * i / 64)) / 2)))
    return LearningRate(peak / 9, tuple(changes))
