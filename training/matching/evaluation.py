"""How often a trained matcher is right, on subjects that it has not seen."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.models.matching import RegionMatcher
from training.engine import Batch, checkpoint
from training.engine.batches import collate

from .drawings import Subject, find_subjects
from .recipe import MatchingTask
from .samples import NONE, STILL, MatchingPairs, Mixture

# what is measured, and how its samples are made
CASES = {"reference": STILL, "half_hints": replace(STILL, hints=1.0)}
# ... by references that differ from those of the sets, each of which an augmentation prepares for
STRANGE = {
    "fresh_colors": replace(STILL, recolor=1.0),
    "mirrored": replace(STILL, flip=1.0),
    "other_pen": replace(STILL, pen=1.0),
    "bent": replace(STILL, warp=1.0),
}


def evaluate(
    config: Mapping[str, Any], path: Path, data: Path, cache: Path, count: int = 200
) -> dict[str, Any]:
    """Share of regions whose likeliest paint is the true one, by case and set.

    Regions of at least 0.1 % of the square count, where the source has their paint. ``count``:
    twice the samples of a case and set; of what is strange there are a quarter as many, and the
    mean over the sets. Returns ``metrics`` and ``count``. Raises TrainingError.
    """
    options = {key: value for key, value in config["model"].items() if key != "name"}
    matcher = RegionMatcher(**options)
    checkpoint.load_weights(path, {"generator": matcher}, dict(config), ("model",))
    task = MatchingTask(matcher.eval(), config["loss"])
    sets: dict[str, list[Subject]] = defaultdict(list)
    for subject in find_subjects(data, "dev"):
        sets[subject.kind].append(subject)

    def right(kind: str, mixture: Mixture, samples: int) -> float | None:
        some = [one for one in sets[kind] if mixture.hints or len(one.drawings) > 1]
        if not some:
            return None
        pairs = MatchingPairs(some, cache, count=count, mixture=mixture)
        return _share_right(task, pairs, max(1, samples))

    metrics = {
        f"{case}/{kind}": share
        for case, mixture in CASES.items()
        for kind in sorted(sets)
        if (share := right(kind, mixture, count // 2)) is not None
    }
    for case, mixture in STRANGE.items():
        found = [right(kind, mixture, count // 8) for kind in sets]
        shares = [share for share in found if share is not None]
        if shares:
            metrics[f"strange/{case}"] = statistics.fmean(shares)
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
