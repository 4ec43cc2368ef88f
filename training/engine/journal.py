"""The run folder: what was run (run.json), its curves (metrics.jsonl, TensorBoard), pictures."""

from __future__ import annotations

import json
import math
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.errors import TrainingError
from training.files import write_json, write_whole

from .board import Board
from .recipe import Recipe

METRICS = "metrics.jsonl"
RUN = "run.json"
History = dict[str, list[tuple[int, float]]]


class Journal:
    """Writes the run folder of one recipe. Only the first process of a run holds one."""

    def __init__(self, folder: Path, recipe: Recipe, device: str, start: int) -> None:
        self.folder = folder
        self._facts = _facts(recipe, device)
        # those of the steps before a resumption are not all come upon again
        known = read_run(folder).get("left_out", []) if start and (folder / RUN).exists() else []
        self._facts["left_out"] = known
        self._started = time.time()
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        _cut_metrics(folder / METRICS, start)
        self._metrics = (folder / METRICS).open("a", encoding="utf-8")
        self._board = Board(folder / "tensorboard", start)
        self.write_facts(start, finished=False)

    def write_facts(self, step: int, *, finished: bool) -> None:
        """run.json: configuration, versions, data, what was done without, how far the run is."""
        seconds = time.time() - self._started
        write_json(
            self.folder / RUN,
            {**self._facts, "step": step, "seconds": round(seconds, 1), "finished": finished},
        )

    def note_left_out(self, step: int, lines: Iterable[str]) -> None:
        """Name in run.json the samples that could not be made, where there are new ones."""
        known = self._facts["left_out"]
        found = sorted({*known, *lines})
        if found != known:
            self._facts["left_out"] = found
            self.write_facts(step, finished=False)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """One line of the log and its points on the board."""
        line = json.dumps({"step": step, **values})
        try:
            self._metrics.write(line + "\n")
            self._metrics.flush()
        except OSError as error:
            raise TrainingError(
                f"cannot write {self.folder / METRICS} ({error.strerror})", "free space"
            ) from error
        self._board.scalars(step, values)

    def pictures(self, step: int, columns: list[Tensor]) -> None:
        """A grid, one row a sample: a PNG of the run folder and a picture of the board."""
        grid = picture_grid(columns)
        image = Image.fromarray(grid)
        path = self.folder / "pictures" / f"{step:07d}.png"
        write_whole(path, partial(image.save, format="PNG"))
        self._board.picture(step, grid)

    def close(self) -> None:
        with suppress(OSError):  # every line was flushed, or told why not
            self._metrics.close()
        self._board.close()


def picture_grid(columns: list[Tensor], gap: int = 2) -> np.ndarray:
    """Columns of (N, 1 or 3, H, W) in [0, 1] as one uint8 picture (H, W, 3) with white gaps."""
    height = max(column.shape[-2] for column in columns)
    width = max(column.shape[-1] for column in columns)
    rows = min(column.shape[0] for column in columns)
    shape = (rows * (height + gap) - gap, len(columns) * (width + gap) - gap, 3)
    grid = np.full(shape, 255, dtype=np.uint8)
    for number, column in enumerate(columns):
        pictures = column[:rows].detach().float().clamp(0, 1).mul(255).round().byte().cpu()
        for row, picture in enumerate(pictures.permute(0, 2, 3, 1).numpy()):
            top, left = row * (height + gap), number * (width + gap)
            grid[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return grid


def read_history(folder: Path) -> History:
    """The curves of a run: name -> [(step, value)]."""
    history: History = defaultdict(list)
    path = folder / METRICS
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            values = json.loads(line)
            step = values.pop("step")
            for name, value in values.items():
                history[name].append((step, value))
    return dict(history)


def read_run(folder: Path) -> dict[str, Any]:
    """The run.json of a folder. Raises TrainingError."""
    path = folder / RUN
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(
            f"{folder} is no run folder ({RUN} is missing)", "train first"
        ) from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error})", "train again") from error
    if not isinstance(facts, dict) or "config" not in facts:
        raise TrainingError(f"{path} is not of this version of Nuri", "train again")
    return facts


class Meter:
    """Means of values between two log lines."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] += value
            self._counts[name] += 1

    def take(self) -> dict[str, float]:
        """The means so far; begins anew."""
        means = {name: self._sums[name] / self._counts[name] for name in self._sums}
        self._sums.clear()
        self._counts.clear()
        return means


def _facts(recipe: Recipe, device: str) -> dict[str, Any]:
    parameters = {
        name: sum(math.prod(p.shape) for p in network.parameters())
        for name, network in recipe.networks.items()
    }
    return {
        "paper": recipe.paper,
        "stage": recipe.stage,
        "config": recipe.config,
        "data": {"name": recipe.data_name, "hashes": recipe.data_hashes},
        "degraded": list(recipe.degraded),
        "pretrained": list(recipe.pretrained),
        "parameters": parameters,
        "steps": recipe.steps,
        "base": recipe.base,
        "device": device,
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    for name in ("nuri", "lightning-fabric", "numpy"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions


def _cut_metrics(path: Path, start: int) -> None:
    """Drop log lines of steps that will be run again, and a line cut by a sudden end."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            step = json.loads(line)["step"]
        except ValueError:
            continue
        if step <= start:
            kept.append(line + "\n")
    write_whole(path, lambda file: _write_lines(file, kept))


def _write_lines(file: Any, lines: list[str]) -> None:
    file.write("".join(lines).encode())
