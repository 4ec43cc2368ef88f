"""Which shots a data table means: generated ones, the shared sets, or a folder of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.errors import TrainingError

from .cache import ArrayCache
from .files import pictures_in
from .films import FilmShots
from .layouts import split_folder
from .picture import ShotSource
from .sets import DEFAULTS, Settings, shared_folders
from .shot_layouts import (
    films_of,
    holds_frame_folders,
    series_of,
    shot_entries,
    triplet_entries,
    triplet_part,
)
from .shot_sources import FileShots, GeneratedShots, ShotPart
from .shots import ShotRules


def open_shots(settings: Settings, data: Path | None, split: str) -> ShotSource:
    """Shots of ``series`` ("train") or ``eval_series`` ("finetune" and "dev").

    Of a series that trains, a seeded half of the shots is held out. Of what was not trained on,
    "finetune" has the first ``finetune_shots`` in seeded order and "dev" the rest, less
    ``finetune_reserved`` where that is more, so that all rows of a table are measured on the same
    shots. The shared sets
    and folders with train/ and a held-out part keep their splits, and fine-tuning takes shots of
    the former; of the shared sets, another series is one that ``set`` leaves out. ATD-12K's
    train_10k/ trains, its test_2k/ is what was not trained on.
    """
    trained = str(settings.get("series", "1"))
    series = trained if split == "train" else str(settings.get("eval_series", trained))
    if data is None:
        source: ShotSource = _generated(settings, split)
    elif folders := shared_folders("shots", settings, data):
        if trained and series != trained:
            others = [name for name in DEFAULTS["shots"] if name not in {f.name for f in folders}]
            others = others or list(DEFAULTS["shots"])
            number = int(series) - 2 if series.isdigit() else 0
            folders = [folders[0].parent / others[number % len(others)]]
        place = "dev" if split == "dev" else "train"
        source = _joined_shots([folder / place for folder in folders], folders)
        if split == "finetune":
            source = _untrained(source, settings, split)
    else:
        source = _own_shots(settings, data, split, series, trained)
    return _limited_shots(source, settings)


def _generated(settings: Settings, split: str) -> GeneratedShots:
    count = int(settings["count"])
    if split == "finetune":
        count = int(settings.get("finetune_shots", 0)) or count
    number = int(settings.get("seed", 0)) * 3 + ("train", "finetune", "dev").index(split)
    return GeneratedShots(count, number, int(settings["size"]), int(settings.get("clip", 8)))


def _own_shots(settings: Settings, data: Path, split: str, series: str, trained: str) -> ShotSource:
    named = split_folder(data, "dev" if split == "dev" else "train")
    source: ShotSource
    if named is not None and (shots := shot_entries(named)):
        source = FileShots(data.name, shots, named)
        return _untrained(source, settings, split) if split == "finetune" else source
    part = "train" if split == "train" else "test"
    for folder in (data / series, data):
        if folder.is_dir() and (shots := triplet_part(folder, part)):
            source = FileShots(folder.name, shots, folder)
            return source if split == "train" else _untrained(source, settings, split)
    source = _undivided(settings, data, series)
    if series == trained:
        order = _order(source, settings)
        half = max(1, len(order) // 2)
        if split == "train":
            return _some_shots(source, order[:half])
        source = _some_shots(source, order[half:] or order)
    return _untrained(source, settings, split)


def _undivided(settings: Settings, data: Path, series: str) -> ShotSource:
    """All shots of a series: as they are given, or cut from its films."""
    if shots := shot_entries(data):
        return FileShots(data.name, shots, data)
    if not pictures_in(data) and (shots := triplet_entries(data)):
        return FileShots(data.name, shots, data)
    rules = ShotRules(
        threshold=float(settings.get("shot_threshold", 200)),
        resolution=int(settings.get("shot_resolution", 256)),
        shortest=min(int(settings.get("clip", 8)), 8),
    )
    given = rules.threshold == 0 and holds_frame_folders(data)
    path = data if given else series_of(data, series)
    if path.is_dir() and (shots := triplet_entries(path)):
        return FileShots(path.name, shots, path)
    cache = ArrayCache()
    # frames smaller than the histograms have other cuts
    films = films_of(path, max(int(settings["size"]), rules.resolution), cache)
    if not films:
        raise TrainingError(f"{path} holds neither frames nor videos", "set data.series")
    return FilmShots(path.stem, films, rules, cache)


def _untrained(source: ShotSource, settings: Settings, split: str) -> ShotPart:
    """The first ``finetune_shots`` in seeded order, or those after all that any row takes."""
    order = _order(source, settings)
    first = int(settings.get("finetune_shots", 0))
    if split == "finetune":
        return _some_shots(source, order[:first])
    return _some_shots(source, order[max(first, int(settings.get("finetune_reserved", 0))) :])


def _joined_shots(places: list[Path], folders: list[Path]) -> ShotPart:
    sources = [
        FileShots(folder.name, shot_entries(place), place)
        for place, folder in zip(places, folders, strict=True)
        if place.is_dir()
    ]
    if not sources:
        raise TrainingError(f"{folders[0]} has no part {places[0].name}", "restore the data set")
    return ShotPart.joined(sources)


def _order(source: ShotSource, settings: Settings) -> list[int]:
    rng = np.random.default_rng((int(settings.get("seed", 0)), 107))
    return [int(index) for index in rng.permutation(len(source))]


def _some_shots(source: ShotSource, indices: list[int]) -> ShotPart:
    if not indices:
        raise TrainingError(
            f"no shot of {source.name} is left for this part",
            "lower finetune.shots or finetune.reserved",
        )
    return ShotPart([source], [(0, index) for index in indices])


def _limited_shots(source: ShotSource, settings: Settings) -> ShotSource:
    limit = int(settings.get("limit", 0))
    return _some_shots(source, list(range(min(limit, len(source))))) if limit else source
