"""What samples and batches depend on: seed, epoch, index and contents, not on workers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data import PairedLineDataset, collate, data_hash, make_loader
from training.data.base import SampleDataset
from training.data.sets import open_pairs
from training.errors import TrainingError

from .conftest import save
from .made import pages, pairs, photos, same, shots

SETTINGS = {"size": 32, "count": 4, "seed": 0, "set": ""}


@pytest.mark.parametrize("make", [pairs, photos, shots, pages])
def test_samples_follow_from_seed_epoch_and_index(make: Callable[..., SampleDataset]) -> None:
    options = {"recolor": True} if make is not photos else {"crop": True, "flip": True}
    dataset = make(**options)
    copy = pickle.loads(pickle.dumps(make(**options)))
    copy[(5, 1)]  # what was asked for before does not matter
    assert same(dataset[(2, 0)], copy[(2, 0)])
    # a flip alone comes out alike half of the time
    assert not all(same(dataset[(2, 0)], dataset[(epoch, 0)]) for epoch in range(3, 10))
    seeded = make(seed=9, **options)
    assert not all(same(dataset[(epoch, 0)], seeded[(epoch, 0)]) for epoch in range(8))


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int) -> None:
    dataset = pairs(recolor=True)
    alone = list(make_loader(dataset, 2, seed=1, epoch=4, workers=0))
    others = list(make_loader(dataset, 2, seed=1, epoch=4, workers=workers))
    assert [batch["name"] for batch in alone] == [batch["name"] for batch in others]
    for one, other in zip(alone, others, strict=True):
        assert torch.equal(one["reference"], other["reference"])
    rest = list(make_loader(dataset, 2, seed=1, epoch=4, workers=0, start=1))
    assert rest[0]["name"] == alone[1]["name"] and len(rest) == 1


@pytest.mark.slow
def test_processes_change_nothing() -> None:
    dataset = pairs()
    alone = list(make_loader(dataset, 2, workers=0))
    others = list(make_loader(dataset, 2, workers=1, kind="processes"))
    for one, other in zip(alone, others, strict=True):
        assert torch.equal(one["reference"], other["reference"])


def test_too_large_a_batch_is_refused() -> None:
    with pytest.raises(TrainingError, match="fewer than a batch of 9"):
        make_loader(pairs(), 9)
    with pytest.raises(TrainingError, match="size of line"):
        collate([{"line": torch.zeros(1, 2, 2)}, {"line": torch.zeros(1, 3, 2)}])


def test_data_hash_tells_contents_apart(drawings: Callable[..., Path]) -> None:
    folder = drawings(2)
    first = data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    assert first == data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    for name in ("d0", "d1"):
        save(folder / "line" / f"{name}.png", np.full((48, 48), 200, np.uint8))
    assert first != data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    assert data_hash(pairs()).startswith("content:")
