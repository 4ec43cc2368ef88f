"""Batches follow from the step alone."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from torch.utils.data import TensorDataset

from training.engine.batches import EndlessBatches, Source, collate, to_device
from training.errors import TrainingError

from .tiny import Pictures


def first(number: int, batches: EndlessBatches) -> list[list[tuple[int, int]]]:
    return list(islice(batches, number))


def test_every_epoch_sees_every_sample_once() -> None:
    keys = [key for batch in first(7, EndlessBatches(7, 3, seed=1)) for key in batch]
    for epoch in range(3):
        assert sorted(index for e, index in keys if e == epoch) == list(range(7))
    assert [i for e, i in keys if e == 0] != [i for e, i in keys if e == 1]


def test_a_later_start_continues_the_same_stream() -> None:
    whole = first(20, EndlessBatches(7, 3, seed=1))
    assert first(8, EndlessBatches(7, 3, seed=1, start=12)) == whole[12:]


def test_processes_share_a_global_batch() -> None:
    whole = first(6, EndlessBatches(11, 4, seed=5))
    halves = [first(6, EndlessBatches(11, 2, seed=5, rank=rank, world=2)) for rank in (0, 1)]
    assert [left + right for left, right in zip(*halves, strict=True)] == whole


def test_a_set_smaller_than_a_batch_repeats() -> None:
    (batch,) = first(1, EndlessBatches(2, 5, seed=0))
    assert [epoch for epoch, _ in batch] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_give_the_batches_of_the_training_thread(workers: int) -> None:
    alone = Source(Pictures(), 3, seed=4, workers=0, taken=2)
    source = Source(Pictures(), 3, seed=4, workers=workers, taken=2)
    for _ in range(5):
        expected, batch = alone.take(), source.take()
        assert batch["name"] == expected["name"]
        assert torch.equal(batch["input"], expected["input"])
    source.close()


def test_no_sample_of_a_pass_is_left_out() -> None:
    batches = first(4, EndlessBatches(7, 2, seed=1))
    assert [epoch for epoch, _ in batches[3]] == [0, 1]


def test_samples_of_several_sizes_make_no_batch() -> None:
    with pytest.raises(TrainingError, match=r"size of line.*batch of 1"):
        collate([{"line": torch.zeros(1, 2, 2)}, {"line": torch.zeros(1, 3, 2)}])


def test_an_empty_set_fails_at_once() -> None:
    with pytest.raises(TrainingError, match="the data set is empty"):
        Source(TensorDataset(torch.empty(0)), 2, seed=0, workers=0)  # type: ignore[arg-type]


def test_pictures_take_the_layout_and_clips_do_not() -> None:
    batch = {"a": torch.rand(2, 3, 4, 4), "clip": torch.rand(2, 2, 3, 4, 4), "name": ["x"]}
    moved = to_device(batch, torch.device("cpu"), channels_last=True)
    assert moved["a"].is_contiguous(memory_format=torch.channels_last)
    assert moved["clip"].is_contiguous()
    assert moved["name"] == ["x"]
