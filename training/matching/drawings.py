"""Drawings prepared once for the region matcher, and the groups that show one subject."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from backend.imaging.lines import clean_ink, darkness, ink_mask
from backend.regions.colored import find_painted_areas
from backend.regions.describe import closed_areas, crop, figure_box
from backend.regions.refine import spread_under_ink
from backend.regions.segment import find_chambers
from training.data.files import read_pixels, to_gray, to_rgb
from training.data.seeds import sample_rng
from training.errors import TrainingError
from training.names import name_bytes

STORED = 288  # pixels of a stored square; samples show it turned and warped, at SIDE
PAIR_SETS = ("pairs_avatars", "pairs_scratch", "pairs_gophers", "pairs_openmoji")
SHOT_SETS = ("anim_gameart2d", "anim_noto", "anim_pepper", "anim_synfig")


@dataclass(frozen=True)
class Subject:
    """Drawings of one subject in one palette: a character's poses, a shot's frames.

    ``drawings``: (line, colour) files. ``kind``: its set.
    """

    kind: str
    name: str
    drawings: tuple[tuple[Path, Path], ...]


class ByKind:
    """The drawings of all subjects, by set: large sets come more often, but not as often as they
    are larger. ``every``: by set, of how many frames of a subject one is taken, for neighbours
    hardly differ.
    """

    def __init__(self, subjects: list[Subject], every: Mapping[str, int] | None = None) -> None:
        found: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
        for subject in subjects:
            step = (every or {}).get(subject.kind, 1)
            found[subject.kind] += subject.drawings[::step]
        self._drawings = [found[kind] for kind in sorted(found)]
        share = np.sqrt([len(drawings) for drawings in self._drawings])
        self._share = share / share.sum()

    def draw(self, rng: np.random.Generator) -> tuple[Path, Path]:
        """One of them: its line and its colour file."""
        drawings = self._drawings[int(rng.choice(len(self._share), p=self._share))]
        return drawings[int(rng.integers(len(drawings)))]


class RandomSamples(Dataset[dict[str, Tensor]], ABC):
    """Samples by index or by (epoch, index), each drawn at random from these and the seed alone."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        return self.draw(index, sample_rng(self._seed, epoch, index))

    @abstractmethod
    def draw(self, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One sample."""


@dataclass(frozen=True)
class Prepared:
    """One drawing at STORED x STORED pixels.

    ink: uint8, 255 = ink. color: (..., 3) uint8. regions: int32 areas that the lines close.
    areas: int32 areas of one paint, spread to every pixel. solid: bool, where an area itself is.
    palette: (P, 3) uint8. paint: (n_areas + 1,) int32, -1 = none.
    """

    ink: np.ndarray
    color: np.ndarray
    regions: np.ndarray
    areas: np.ndarray
    solid: np.ndarray
    palette: np.ndarray
    paint: np.ndarray


def find_subjects(data: Path, split: str) -> list[Subject]:
    """The subjects of the shared sets below ``data``. Raises TrainingError when there are none."""
    subjects = []
    for name in PAIR_SETS:
        subjects += _pairs(data / name / split, name)
    for name in SHOT_SETS:
        subjects += _shots(data / name / split, name)
    if not subjects:
        raise TrainingError(
            f"{data} holds none of {', '.join((*PAIR_SETS, *SHOT_SETS))}", "check --data"
        )
    return subjects


def prepare(line: Path, color: Path, cache: Path) -> Prepared:
    """A drawing read and cut into areas, or its copy from the ``cache`` folder."""
    return Prepared(**made_once(line, color, cache, "", _make))


def made_once(
    line: Path,
    color: Path,
    cache: Path,
    kind: str,
    make: Callable[[np.ndarray, np.ndarray], Any],
) -> dict[str, Any]:
    """The arrays of what ``make`` gives for the lines (H, W) and the colours (H, W, 3) of two
    files, or their copy of this ``kind`` from the ``cache`` folder.
    """
    state = name_bytes(f"{line}|{line.stat().st_mtime_ns}")
    key = hashlib.blake2b(state, digest_size=12).hexdigest()
    stored = cache / f"{key}{kind}.npz"
    if not stored.exists():
        made = make(to_gray(read_pixels(line)[0]), to_rgb(read_pixels(color)[0]))
        cache.mkdir(parents=True, exist_ok=True)
        partial = stored.with_suffix(".part.npz")
        np.savez_compressed(partial, **vars(made))
        partial.replace(stored)
    with np.load(stored, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _make(line: np.ndarray, color: np.ndarray) -> Prepared:
    ink = clean_ink(darkness(line))
    chambers = find_chambers(ink)
    found = find_painted_areas(color, ink_mask(ink))
    box = figure_box(closed_areas(chambers.label))
    areas = spread_under_ink(found.label.copy())
    return Prepared(
        ink=crop(ink, box, STORED, 0, exact=False),
        color=crop(color, box, STORED, 255, exact=False),
        regions=crop(chambers.label, box, STORED, 0, exact=True),
        areas=crop(areas, box, STORED, 0, exact=True),
        solid=crop((found.label > 0).astype(np.uint8), box, STORED, 0, exact=True) > 0,
        palette=found.palette,
        paint=found.paint,
    )


def _pairs(folder: Path, kind: str) -> list[Subject]:
    if not (folder / "index.json").is_file():
        return []
    groups: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
    for item in json.loads((folder / "index.json").read_text()):
        name = item.get("character") or item.get("identity") or item["id"]
        if item.get("variant") == "c":  # the same drawing in another palette
            name += " c"
        line, color = (_file(folder / part, item["id"]) for part in ("line", "color"))
        if line and color:
            groups[name].append((line, color))
    return [Subject(kind, name, tuple(files)) for name, files in sorted(groups.items())]


def _file(folder: Path, name: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"{name}.*"))), None)


def _shots(folder: Path, kind: str) -> list[Subject]:
    subjects = []
    for shot in sorted(folder.iterdir()) if folder.is_dir() else ():
        lines = sorted(shot.glob("line_*"))
        files = [(line, line.with_name(line.name.replace("line_", "color_"))) for line in lines]
        files = [(line, color) for line, color in files if color.exists()]
        if files:
            subjects.append(Subject(kind, shot.name, tuple(files)))
    return subjects
