"""How often a trained matcher is right, on subjects that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.models.matching import RegionMatcher
from training.engine import Batch, checkpoint
from training.engine.batches import collate

from .drawings import find_subjects
from .recipe import MatchingTask
from .samples import NONE, MatchingPairs, Mixture

# what is measured, and how its samples are made
CASES = {
    "reference": Mixture(hints=0.0, self=0.0, recolor=0.0, flip=0.0),
    "half_hints": Mixture(hints=1.0, self=0.0, recolor=0.0, flip=0.0),
}


def evaluate(
    config: Mapping[str, Any], path: Path, data: Path, cache: Path, count: int = 200
) -> dict[str, Any]:
    """Share of regions whose likeliest paint is the true one, by case and set.

    Regions of at least 0.1 % of the square count, where the source has their paint. ``count``:
    samples a case. Returns ``metrics`` and ``count``. Raises TrainingError.
    """
    options = {key: value for key, value in config["model"].items() if key != "name"}
    matcher = RegionMatcher(**options)
    checkpoint.load_weights(path, {"generator": matcher}, dict(config), ("model",))
    task = MatchingTask(matcher.eval(), config["loss"])
    subjects = find_subjects(data, "dev")
    metrics: dict[str, float] = {}
    for case, mixture in CASES.items():
        for kind in sorted({subject.kind for subject in subjects}):
            some = [
                subject
                for subject in subjects
                if subject.kind == kind and (case != "reference" or len(subject.drawings) > 1)
            ]
            if some:
                pairs = MatchingPairs(some, cache, count=count, training=False, mixture=mixture)
                metrics[f"{case}/{kind}"] = _share_right(task, pairs, max(1, count // len(CASES)))
    return {"metrics": metrics, "count": count}


def _share_right(task: MatchingTask, pairs: MatchingPairs, count: int) -> float:
    """Share of the regions of the first ``count`` samples whose likeliest paint is the true one."""
    right = total = 0
    for index in range(count):
        batch = collate([pairs[index]])
        with torch.inference_mode():
            paint = likeliest_paint(task.generate(batch)["main"], batch)
        counted = (batch["truth"][0] > NONE) & (batch["weight"][0] == 1)
        right += int((paint == batch["truth"][0])[counted].sum())
        total += int(counted.sum())
    return right / max(1, total)


def likeliest_paint(scores: Tensor, batch: Batch) -> Tensor:
    """(N,) int64: the source's paint that each region or pixel of the first target matches best.

    scores: (B, N, M + 1) log-probabilities. batch: that of the source's M regions.
    """
    odds = scores[0, :, :-1].exp()
    paint, valid = batch["paint"][0], batch["source_valid"][0]
    votes = torch.zeros(odds.shape[0], int(paint.max()) + 1)
    votes.index_add_(1, paint[valid], odds[:, valid])
    return votes.argmax(1)
