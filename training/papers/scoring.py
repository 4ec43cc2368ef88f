"""Evaluation: pictures as they would be saved, the metrics of a preset, and strips to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image
from torch import Tensor, nn

from training.data import SampleDataset
from training.engine import Batch, checkpoint
from training.engine.batches import collate, to_device
from training.engine.devices import make_fabric
from training.engine.journal import picture_grid
from training.files import write_whole
from training.metrics import Evaluator
from training.names import name_bytes
from training.papers.pieces import Config
from training.pretrained import Degradations

Measure = Callable[[Tensor, Tensor], Tensor]
"""8-bit pictures (B, 3, H, W), ours and true -> one value for each (B)."""

_NAMED = 5  # unreadable samples that are named in full


@dataclass
class Evaluation:
    """What a row of a table came to.

    ``metrics``: name -> value, None when it cannot be had, with the reason in ``unavailable``.
    ``pictures``: (caption, PNG) strips: inputs | references | ours | truth. ``count``: pictures.
    ``degraded`` and ``pretrained``: what metrics and samples went without, and the networks of
    others that they used with the digests of their files, by the names of run.json. ``spread``:
    the curves of how often colours come, ours and true, where ``ab_histogram`` is measured.
    """

    metrics: dict[str, float | None]
    unavailable: dict[str, str]
    pictures: list[tuple[str, Path]]
    count: int
    degraded: list[str] = field(default_factory=list)
    pretrained: list[str] = field(default_factory=list)
    spread: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def as_facts(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return {
            "metrics": self.metrics,
            "unavailable": self.unavailable,
            "pictures": [[caption, str(path)] for caption, path in self.pictures],
            "count": self.count,
            "degraded": self.degraded,
            "pretrained": self.pretrained,
            "spread": self.spread,
        }


@dataclass(frozen=True)
class Scored:
    """A batch that was coloured: (B, 3, H, W) uint8, and the columns of a strip in [0, 1].

    ``fid_reference`` are the pictures whose distribution FID compares with (default the target).
    """

    prediction: Tensor
    target: Tensor
    columns: list[Tensor]
    names: Sequence[str]
    regions: Tensor | None = None
    fid_reference: Tensor | None = None


class Examination:
    """Where and how a preset is evaluated: device, limits, folder for pictures."""

    def __init__(self, config: Config, out: Path, device: str, degradations: Degradations) -> None:
        self.settings = config["eval"]
        self._channels_last = bool(config["train"]["channels_last"])
        self._out = out
        self._degradations = degradations
        self._datasets: list[SampleDataset] = []
        self._fabric = make_fabric(device, config["train"]["precision"])
        self.device = self._fabric.device

    def load(
        self,
        networks: Mapping[str, nn.Module],
        path: Path | None,
        config: Config,
        tables: tuple[str, ...] = ("model",),
    ) -> None:
        """Networks on the device in eval mode, filled from a checkpoint where there is one."""
        if path is not None:
            checkpoint.load_weights(path, networks, config, tables)
        for network in networks.values():
            network.to(self.device).eval().requires_grad_(False)

    def choose(self, dataset: SampleDataset, most: int = 0) -> list[int]:
        """The samples to measure, by number: a choice by ``eval.seed`` in the data's order.

        ``eval.limit`` says how many, and ``most``, where it is less (0: all). A sample that cannot
        be read is not among them, which is recorded; nothing stands in for it. What samples go
        without and which networks of others they go through is recorded, too.
        """
        self._datasets.append(dataset)
        for name, path in dataset.pretrained.items():
            self._degradations.use(name, path)
        limits = [limit for limit in (self.settings["limit"], most) if limit]
        wanted = min([len(dataset), *limits])
        chosen: list[int] = []
        flaws: list[str] = []
        for index in _drawn(len(dataset), wanted, self.settings["seed"]):
            if len(chosen) == wanted:
                break
            if flaw := dataset.flaw(index):
                flaws.append(flaw)
            else:
                chosen.append(index)
        if flaws:
            named = list(dict.fromkeys(flaws))
            more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
            reason = "; ".join(named[:_NAMED]) + more
            term = f"samples of {dataset.source.name}"
            self._degradations.note(term, f"{len(flaws)} left out", reason)
        return sorted(chosen)

    def keep_list(self, dataset: SampleDataset, chosen: Sequence[int]) -> None:
        """Write the chosen pictures' names to ``pictures.txt``, in the form of ``eval.list``."""

        def write(file: BinaryIO) -> None:
            names = (f"{dataset.source.label(index)}\n" for index in chosen)
            file.writelines(name_bytes(name) for name in names)

        write_whole(self._out / "pictures.txt", write)

    def batches(
        self, dataset: SampleDataset, chosen: Sequence[int], size: int | None = None
    ) -> Iterator[Batch]:
        """Some samples in the order given, ``size`` or ``eval.batch`` at a time."""
        size = size or self.settings["batch"]
        for start in range(0, len(chosen), size):
            samples = [dataset[(0, index)] for index in chosen[start : start + size]]
            yield to_device(collate(samples), self.device, channels_last=self._channels_last)

    def score(
        self,
        scored: Iterable[Scored],
        names: Sequence[str],
        kind: str = "",
        own: Mapping[str, Measure] | None = None,
    ) -> Evaluation:
        """Measure everything that was coloured; strips are written as ``KIND-NNN.png``.

        ``own``: measures of a paper's own by name, whose means over all pictures are taken where
        ``names`` has them.
        """
        own = {name: measure for name, measure in (own or {}).items() if name in names}
        found: dict[str, list[float]] = {name: [] for name in own}
        evaluator = Evaluator(
            [name for name in names if name not in own],
            degradations=self._degradations,
            device=self.device,
            perceptual_backend=self.settings.get("perceptual_backend", "torchvision"),
        )
        pictures: list[tuple[str, Path]] = []
        count = 0
        with torch.inference_mode(), self._fabric.autocast():
            for one in scored:
                evaluator.update(
                    one.prediction,
                    one.target,
                    regions=one.regions,
                    fid_reference=one.fid_reference,
                )
                for name, measure in own.items():
                    found[name] += measure(one.prediction, one.target).tolist()
                count += one.prediction.shape[0]
                pictures += self._strips(one, kind, len(pictures))
        values = evaluator.compute()
        means = {name: sum(each) / len(each) for name, each in found.items() if each}
        return Evaluation(
            metrics={**means, **{name: value.value for name, value in values.items()}},
            unavailable={n: v.reason for n, v in values.items() if v.value is None},
            pictures=pictures,
            count=count,
            degraded=self._degraded(),
            pretrained=self._degradations.pretrained(),
            spread=evaluator.spread(),
        )

    def _degraded(self) -> list[str]:
        samples = (line for dataset in self._datasets for line in dataset.degraded)
        return list(dict.fromkeys([*self._degradations.lines(), *samples]))

    def _strips(self, one: Scored, kind: str, written: int) -> list[tuple[str, Path]]:
        wanted = max(self.settings["pictures"] - written, 0)
        strips = []
        for row, name in enumerate(one.names[:wanted]):
            image = Image.fromarray(picture_grid([column[row : row + 1] for column in one.columns]))
            path = self._out / f"{kind or 'strip'}-{written + row:03d}.png"
            write_whole(path, partial(image.save, format="PNG"))
            strips.append((f"{kind} {name}".strip(), path))
        return strips


def merged(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Several protocols of one row as one evaluation; their metrics have different names."""
    return Evaluation(
        metrics={k: v for one in evaluations for k, v in one.metrics.items()},
        unavailable={k: v for one in evaluations for k, v in one.unavailable.items()},
        pictures=[picture for one in evaluations for picture in one.pictures],
        count=max(one.count for one in evaluations),
        degraded=evaluations[-1].degraded,
        pretrained=evaluations[-1].pretrained,
        spread={k: v for one in evaluations for k, v in one.spread.items()},
    )


def _drawn(count: int, wanted: int, seed: int) -> list[int]:
    if wanted == count:
        return list(range(count))
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()


def derangement(count: int, seed: int) -> list[int]:
    """For each of ``count`` items another one, every one used once, by the seed."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=generator).tolist()
    partner = [0] * count
    for here, there in zip(order, order[1:] + order[:1], strict=True):
        partner[here] = there
    return partner
