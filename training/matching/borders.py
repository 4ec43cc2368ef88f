"""How the border finder is trained: cross entropy on where areas of different paint meet, and on
which hint a pixel belongs to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from backend.models.borders import BorderFinder
from training.engine import Batch, Generated, Optimiser, Recipe, Task, Term, Track, checkpoint
from training.engine.batches import collate

from .border_samples import BorderScenes
from .drawings import find_subjects
from .recipe import cosine

_EPOCH = 4096
_PLACE = 4.0  # how much a place, in sides of the drawing, counts beside the embedding


class BorderTask(Task):
    """Cross entropy of a border at each pixel, and of the hint whose colour a pixel has."""

    def __init__(self, finder: BorderFinder, belonging: float) -> None:
        super().__init__()
        self.belonging = belonging
        self.generator = finder
        self.trained = (finder,)

    def generate(self, batch: Batch) -> Generated:
        found = self.generator(batch["drawing"])
        return {"main": found.main, "embedding": found.embedding}

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        weight = batch["weight"]
        loss = functional.binary_cross_entropy_with_logits(
            generated["main"], batch["border"], weight, reduction="sum"
        )
        apart, right = belonging(batch, generated["embedding"])
        return {
            "g/border": Term(loss / weight.sum()),
            "g/belonging": Term(apart, self.belonging),
            "g/right": Term(right, 0.0),
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        drawing = batch["drawing"]
        with torch.no_grad():
            found = self.generator(drawing).main.sigmoid()
        return [1 - drawing[:, :1], drawing[:, 2:], 1 - found, 1 - batch["border"]]


def belonging(batch: Batch, embedding: Tensor) -> tuple[Tensor, Tensor]:
    """Log-loss of the colour that a pixel takes from the hints, and the share of right ones.

    embedding: (B, D, h, w). The batch: as `BorderScenes` says.
    """
    width = embedding.shape[-1]
    flat = embedding.flatten(2).float()

    def of(at: Tensor) -> Tensor:
        seen = torch.gather(flat, 2, at[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)
        place = torch.stack([at // width, at % width], -1) / batch["scale"][:, None]
        return torch.cat([seen, place * _PLACE], -1)

    hints, pixels = batch["hint_class"], batch["pixel_class"]
    apart = torch.cdist(of(batch["pixel_at"]), of(batch["hint_at"])).square()
    odds = (-apart).masked_fill((hints == 0)[:, None], -torch.inf)
    counted = (pixels > 0).float()
    # rows without any hint are not counted, but must stay finite
    odds = torch.where((counted == 0)[..., None], torch.zeros_like(odds), odds)
    odds = odds.log_softmax(-1)
    same = hints[:, None] == pixels[..., None]
    likely = odds.masked_fill(~same, -30.0).logsumexp(-1)
    total = counted.sum().clamp(min=1)
    right = (likely > -math.log(2)).float()
    return -(likely * counted).sum() / total, (right * counted).sum() / total


def build(config: Mapping[str, Any], data: Path, cache: Path) -> Recipe:
    """The recipe. ``cache``: folder for prepared drawings. Raises TrainingError."""
    model, train, own = config["model"], config["train"], config["data"]
    torch.manual_seed(train["seed"])
    finder = BorderFinder(width=model["width"], embedding=model["embedding"])
    subjects = find_subjects(data, "train")
    scenes = BorderScenes(
        subjects,
        cache,
        count=_EPOCH,
        seed=own["seed"],
        side=own["side"],
        made_up=own["made_up"],
        composed=own["composed"],
        divided=own["divided"],
        warped=own["warped"],
    )
    return Recipe(
        paper="borders",
        stage="main",
        config=dict(config),
        networks={"generator": finder},
        tracks=[
            Track(
                "main", BorderTask(finder, config["loss"]["belonging"]), "G", scenes, train["batch"]
            )
        ],
        optimisers={"generator": Optimiser(("generator",), cosine(config), (0.9, 0.99))},
        steps=train["steps"],
        data_name=f"{len(subjects)} subjects of {data}",
        exports={"generator": ("borders", finder.options)},
        architecture=("model",),
    )


def evaluate(
    config: Mapping[str, Any], path: Path, data: Path, cache: Path, count: int = 60
) -> dict[str, Any]:
    """Average precision of borders off the lines, by set and for shapes made up.

    Returns ``metrics`` and ``count``. Raises TrainingError.
    """
    finder = BorderFinder(width=config["model"]["width"], embedding=config["model"]["embedding"])
    checkpoint.load_weights(path, {"generator": finder}, dict(config), ("model",))
    finder.eval()
    subjects = find_subjects(data, "dev")
    metrics = {}
    for kind in sorted({subject.kind for subject in subjects}):
        some = [subject for subject in subjects if subject.kind == kind]
        scenes = BorderScenes(some, cache, count=count, training=False, made_up=0, composed=0)
        metrics[kind] = average_precision(finder, scenes)
    made = BorderScenes(subjects, cache, count=count, seed=1, made_up=1, composed=0)
    metrics["made_up"] = average_precision(finder, made)
    return {"metrics": metrics, "count": count}


def average_precision(finder: BorderFinder, scenes: BorderScenes) -> float:
    """Of the pixels off the lines of all scenes: the area under precision over recall."""
    sure, true = [], []
    for index in range(len(scenes)):
        batch = collate([scenes[index]])
        with torch.inference_mode():
            found = finder(batch["drawing"]).main
        off = batch["weight"] >= 1
        sure.append(found[off])
        true.append(batch["border"][off])
    order = torch.cat(sure).argsort(descending=True)
    hits = torch.cat(true)[order]
    right = hits.cumsum(0)
    precision = right / torch.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum().clamp(min=1))
