"""Batches prepared off the training thread, in an order that does not depend on the workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from training.errors import TrainingError

from .base import Sample, SampleDataset

Keys = list[tuple[int, int]]
AHEAD = 3  # batches that wait ready for each worker


def collate(samples: Sequence[Sample]) -> dict[str, Any]:
    """Stack tensors, list the rest. Raises TrainingError when sizes differ."""
    batch: dict[str, Any] = {}
    for name, first in samples[0].items():
        values = [sample[name] for sample in samples]
        if isinstance(first, Tensor):
            if any(value.shape != first.shape for value in values):
                raise TrainingError(
                    f"samples differ in the size of {name}", "use a batch of 1 for whole pictures"
                )
            batch[name] = torch.stack(values)
        else:
            batch[name] = values
    return batch


def epoch_order(length: int, seed: int, epoch: int, shuffle: bool = True) -> list[int]:
    """The order of an epoch's samples."""
    if not shuffle:
        return list(range(length))
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return torch.randperm(length, generator=generator).tolist()


def make_loader(
    dataset: SampleDataset,
    batch: int,
    *,
    seed: int = 0,
    epoch: int = 0,
    workers: int = 2,
    kind: Literal["threads", "processes"] = "threads",
    shuffle: bool = True,
    drop_last: bool = True,
    start: int = 0,
) -> Iterator[dict[str, Any]]:
    """The batches of one epoch from number ``start`` on, the same for any number of workers.

    Threads suit this work: decoding, resizing and filtering release the interpreter's lock.
    workers 0 makes each batch when it is asked for. Raises TrainingError when an epoch has none.
    """
    order = epoch_order(len(dataset), seed, epoch, shuffle)
    count = len(order) // batch if drop_last else -(-len(order) // batch)
    if count == 0:
        raise TrainingError(
            f"{dataset.source.name} has {len(order)} samples, fewer than a batch of {batch}",
            "use a smaller train.batch",
        )
    keys = [
        [(epoch, index) for index in order[number * batch : (number + 1) * batch]]
        for number in range(start, count)
    ]
    if kind == "processes" and workers:
        return iter(
            DataLoader(
                dataset,
                batch_sampler=keys,
                num_workers=workers,
                collate_fn=collate,
                multiprocessing_context="spawn",
            )
        )
    return in_threads(dataset, keys, workers)


def in_threads(
    dataset: SampleDataset, keys: Iterable[Keys], workers: int = 2
) -> Iterator[dict[str, Any]]:
    """Batches of the given (epoch, index) keys in order, made ahead by ``workers`` threads.

    ``keys`` may be endless.
    """
    if workers < 1:
        for wanted in keys:
            yield collate([dataset[key] for key in wanted])
        return
    waiting: deque[list[Future[Sample]]] = deque()
    remaining = iter(keys)
    pool = ThreadPoolExecutor(workers, "data")
    try:
        for wanted in remaining:
            waiting.append([pool.submit(dataset.__getitem__, key) for key in wanted])
            if len(waiting) > AHEAD * workers:
                yield collate([future.result() for future in waiting.popleft()])
        while waiting:
            yield collate([future.result() for future in waiting.popleft()])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
