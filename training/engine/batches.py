"""Batches that depend on the step alone, so that a run can be cut anywhere and continued."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from training.errors import TrainingError

from .recipe import Batch, Samples

_THREADS = 2


class EndlessBatches(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys from ``start`` on, without end.

    Every epoch is a permutation that follows from the seed and the epoch; epochs join without a
    gap. With several processes each takes its own share of the same global batch.
    """

    def __init__(
        self, length: int, batch: int, seed: int, start: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        self._length, self._batch, self._seed, self._start = length, batch, seed, start
        self._rank, self._world = rank, world

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, order = -1, torch.empty(0, dtype=torch.long)
        number = self._start
        while True:
            first = (number * self._world + self._rank) * self._batch
            keys = []
            for position in range(first, first + self._batch):
                if position // self._length != epoch:
                    epoch = position // self._length
                    order = self._permutation(epoch)
                keys.append((epoch, int(order[position % self._length])))
            yield keys
            number += 1

    def _permutation(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(mixed_seed(self._seed, epoch))
        return torch.randperm(self._length, generator=generator)


class Source:
    """The batches of one track, prepared ahead off the training thread.

    ``taken`` counts those handed out; give it back to continue there. ``workers``: 0 prepares on
    the training thread; 1 or 2 are threads, which start at once; more are processes, which a
    machine with many cores needs. The batches are the same whatever their number.
    """

    def __init__(
        self,
        dataset: Samples,
        batch: int,
        *,
        seed: int,
        workers: int,
        taken: int = 0,
        rank: int = 0,
        world: int = 1,
        pin: bool = False,
    ) -> None:
        length = len(dataset)
        if length == 0:
            raise TrainingError("the data set is empty", "name a folder with pictures in --data")
        self.taken = taken
        self._executor: ThreadPoolExecutor | None = None
        keys = EndlessBatches(length, batch, seed, taken, rank, world)
        if 0 < workers <= _THREADS:
            self._executor = ThreadPoolExecutor(workers, thread_name_prefix="batches")
            self._iterator = self._prepared(dataset, iter(keys), self._executor, 2 * workers)
        else:
            self._iterator = iter(_loader(dataset, keys, workers, pin))

    def take(self) -> Batch:
        self.taken += 1
        return next(self._iterator)

    def close(self) -> None:
        """Stop preparing."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _prepared(
        dataset: Samples,
        keys: Iterator[list[tuple[int, int]]],
        executor: ThreadPoolExecutor,
        ahead: int,
    ) -> Iterator[Batch]:
        def make(batch: list[tuple[int, int]]) -> Batch:
            return collate([dataset[key] for key in batch])

        waiting = deque(executor.submit(make, next(keys)) for _ in range(ahead))
        while True:
            batch = waiting.popleft().result()
            waiting.append(executor.submit(make, next(keys)))
            yield batch


def _loader(dataset: Samples, keys: EndlessBatches, workers: int, pin: bool) -> DataLoader[Batch]:
    return DataLoader(
        dataset,  # type: ignore[arg-type]  # it asks no more of a data set than ours have
        batch_sampler=keys,
        num_workers=workers,
        pin_memory=pin,
        collate_fn=collate,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,  # fork would inherit torch's threads
        generator=torch.Generator().manual_seed(0),
    )


def collate(samples: list[dict[str, Any]]) -> Batch:
    """Stack the tensors of samples; everything else becomes a list."""
    return {
        key: torch.stack([sample[key] for sample in samples])
        if isinstance(samples[0][key], Tensor)
        else [sample[key] for sample in samples]
        for key in samples[0]
    }


def to_device(batch: Batch, device: torch.device, *, channels_last: bool) -> Batch:
    """The batch with its tensors on a device, pictures in the wanted memory layout."""
    moved: Batch = {}
    for key, value in batch.items():
        if isinstance(value, Tensor):
            value = value.to(device, non_blocking=True)
            if channels_last and value.ndim == 4:
                value = value.contiguous(memory_format=torch.channels_last)
        moved[key] = value
    return moved


def mixed_seed(*parts: int) -> int:
    """One 63-bit seed out of several numbers (splitmix64)."""
    state = 0
    for part in parts:
        state = (state + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1
