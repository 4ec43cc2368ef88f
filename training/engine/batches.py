"""Batches that depend on the step alone, so that a run can be cut anywhere and continued."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from training.errors import TrainingError

from .recipe import Batch, Samples

_THREADS = 2
Keys = list[tuple[int, int]]
Told = tuple[Batch, list[str]]


class EndlessBatches(Sampler[Keys]):
    """Batches of (epoch, index) keys from ``start`` on, without end.

    Every epoch is a permutation that follows from the seed and the epoch; epochs join without a
    gap, so that a batch may be of two. (The papers' own loaders drop what is left of a pass, of
    aaldc 9 of 17,769 pairs, by which theirs is shorter; no sample is left out here.) With several
    processes each takes its own share of the same global batch.
    """

    def __init__(
        self, length: int, batch: int, seed: int, start: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        self._length, self._batch, self._seed, self._start = length, batch, seed, start
        self._rank, self._world = rank, world

    def __iter__(self) -> Iterator[Keys]:
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


class _WholeBatches(Dataset[Told]):
    """Batches by their keys, each with the lines of ``left_out`` that were not yet told.

    They travel with the batch, for a worker may be another process.
    """

    def __init__(self, dataset: Samples) -> None:
        self._dataset = dataset
        self._told: set[str] = set()

    def __getitem__(self, keys: Keys) -> Told:
        batch = collate([self._dataset[key] for key in keys])
        # samples that are drawn from memory leave nothing out
        new = [line for line in getattr(self._dataset, "left_out", ()) if line not in self._told]
        self._told.update(new)
        return batch, new


class Source:
    """The batches of one track, prepared ahead off the training thread.

    ``taken`` counts those handed out; give it back to continue there. ``left_out`` are the lines
    of samples that could not be made on the way. ``workers``: 0 prepares on the training thread;
    1 or 2 are threads, which start at once; more are processes, which a machine with many cores
    needs. The batches are the same whatever their number.
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
        self.left_out: set[str] = set()
        self._executor: ThreadPoolExecutor | None = None
        keys = EndlessBatches(length, batch, seed, taken, rank, world)
        batches = _WholeBatches(dataset)
        if 0 < workers <= _THREADS:
            self._executor = ThreadPoolExecutor(workers, thread_name_prefix="batches")
            self._iterator = self._prepared(batches, iter(keys), self._executor, 2 * workers)
        else:
            self._iterator = iter(_loader(batches, keys, workers, pin))

    def take(self) -> Batch:
        self.taken += 1
        batch, left_out = next(self._iterator)
        self.left_out.update(left_out)
        return batch

    def close(self) -> None:
        """Stop preparing."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _prepared(
        batches: _WholeBatches,
        keys: Iterator[Keys],
        executor: ThreadPoolExecutor,
        ahead: int,
    ) -> Iterator[Told]:
        waiting = deque(executor.submit(batches.__getitem__, next(keys)) for _ in range(ahead))
        while True:
            told = waiting.popleft().result()
            waiting.append(executor.submit(batches.__getitem__, next(keys)))
            yield told


def _loader(
    batches: _WholeBatches, keys: EndlessBatches, workers: int, pin: bool
) -> DataLoader[Told]:
    return DataLoader(
        batches,
        sampler=keys,
        batch_size=None,  # a key is that of a whole batch
        num_workers=workers,
        pin_memory=pin,
        collate_fn=_as_it_is,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,  # fork would inherit torch's threads
        generator=torch.Generator().manual_seed(0),
    )


def _as_it_is(told: Any) -> Any:
    return told


def collate(samples: list[dict[str, Any]]) -> Batch:
    """Stack the tensors of samples; everything else becomes a list.

    Raises TrainingError for tensors of several sizes.
    """
    batch: Batch = {}
    for key, first in samples[0].items():
        values = [sample[key] for sample in samples]
        if not isinstance(first, Tensor):
            batch[key] = values
        elif any(value.shape != first.shape for value in values):
            raise TrainingError(
                f"samples differ in the size of {key}", "use a batch of 1 for whole pictures"
            )
        else:
            batch[key] = torch.stack(values)
    return batch


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
