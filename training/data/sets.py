"""Which pictures a data table means: generated ones, the shared sets, or a folder of one's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError

from .cache import ArrayCache
from .films import FileShots, FilmShots, GeneratedShots, ShotPart
from .layouts import (
    films_of,
    monochrome_entries,
    pair_source,
    parallel_entries,
    photo_entries,
    series_of,
    shot_entries,
    split_folder,
)
from .picture import PictureSource, ShotSource
from .shots import ShotRules
from .sources import (
    FilePictures,
    GeneratedPictures,
    Joined,
    Monochrome,
    Part,
    in_held_out_part,
)

Settings = Mapping[str, Any]
SETS = {
    "anim_gameart2d": "shots",
    "anim_noto": "shots",
    "anim_pepper": "shots",
    "anim_synfig": "shots",
    "comics_climatefrogs": "pages",
    "comics_peppercarrot": "pages",
    "highres_vector": "pairs",
    "illus_vn": "pairs",
    "illus_wesnoth": "pairs",
    "pairs_avatars": "pairs",
    "pairs_gophers": "pairs",
    "pairs_openmoji": "pairs",
    "pairs_scratch": "pairs",
    "photos": "photos",
}
DEFAULTS = {
    "pairs": ("pairs_avatars", "pairs_gophers", "pairs_openmoji", "pairs_scratch"),
    "photos": ("photos",),
    "shots": ("anim_gameart2d", "anim_noto", "anim_pepper", "anim_synfig"),
    "pages": ("comics_peppercarrot",),
}
_GENERATED = {"pairs": "toon", "photos": "photo", "pages": "page", "shots": "shot"}


def data_root() -> Path | None:
    """The shared sets: $NURI_DATA, else ../shared/data beside the project, where it exists."""
    if chosen := os.environ.get("NURI_DATA"):
        return Path(chosen)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return beside if beside.is_dir() else None


def open_pairs(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Drawings with colours. split: "train" or "dev". Raises TrainingError when there are none.

    With ``holdout`` off, training on a folder of one's own with train/ and val/ takes both, as the
    paper did; the shared sets keep their split.
    """
    both = split == "train" and not settings.get("holdout", True)

    def own(folder: Path) -> PictureSource:
        part = split_folder(folder, split)
        if part is None:
            return _held_out(pair_source(folder, folder.name), split)
        if both and folder.name not in SETS:
            held_out = split_folder(folder, "dev")
            assert held_out is not None  # there is a train folder
            return Joined([pair_source(part, "train"), pair_source(held_out, "val")])
        return pair_source(part, folder.name)

    return _pictures("pairs", settings, data, split, own)


def open_photos(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Photographs of any tree of folders, and paintings: color/ of a folder that has it."""
    return _pictures("photos", settings, data, split, partial(_coloured, split=split))


def open_pages(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Coloured pages: color/ of a folder, or the folder's own pictures."""
    return _pictures("pages", settings, data, split, partial(_coloured, split=split))


def open_manga(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Black-and-white pages: bw/, bw_manga/ or grey/ of a folder; colours are not looked at."""

    def own(folder: Path) -> PictureSource:
        part = split_folder(folder, split)
        place = part or folder
        source = FilePictures(folder.name, monochrome_entries(place), place)
        return source if part else _held_out(source, split)

    return Monochrome(_pictures("pages", settings, data, split, own))


def open_shots(settings: Settings, data: Path | None, split: str) -> ShotSource:
    """Shots of ``series`` ("train") or ``eval_series`` ("finetune" and "dev").

    Of a series that trains, a seeded half of the shots is held out. Of another one, "finetune" has
    the first ``finetune_shots`` in seeded order and "dev" the rest. The shared sets have their own
    splits; there, series other than the trained one are the animation sets that ``set`` leaves out.
    """
    trained = str(settings.get("series", "1"))
    series = trained if split == "train" else str(settings.get("eval_series", trained))
    seed = int(settings.get("seed", 0))
    if data is None:
        count = int(settings["count"])
        size, shortest = int(settings["size"]), int(settings.get("clip", 8))
        numbers = {"train": 0, "finetune": 1, "dev": 2}
        return GeneratedShots(count, seed * 3 + numbers[split], size, shortest)
    folders = _shared_folders("shots", settings, data)
    if folders:
        if series != trained:
            others = [name for name in DEFAULTS["shots"] if name not in {f.name for f in folders}]
            others = others or list(DEFAULTS["shots"])
            number = int(series) - 2 if series.isdigit() else 0
            folders = [folders[0].parent / others[number % len(others)]]
        place = "dev" if split == "dev" else "train"
        source: ShotSource = _joined_shots([folder / place for folder in folders], folders)
        if split == "finetune":
            source = _some_shots(source, _order(len(source), seed)[: settings["finetune_shots"]])
        return _limited_shots(source, settings)
    return _limited_shots(_own_shots(settings, data, split, series, trained), settings)


def _own_shots(settings: Settings, data: Path, split: str, series: str, trained: str) -> ShotSource:
    seed = int(settings.get("seed", 0))
    named = split_folder(data, "dev" if split == "dev" else "train")
    if named is not None and (shots := shot_entries(named)):
        return FileShots(data.name, shots, named)
    source: ShotSource
    if shots := shot_entries(data):
        source = FileShots(data.name, shots, data)
    else:
        cache = ArrayCache()
        path = series_of(data, series)
        rules = ShotRules(
            threshold=float(settings.get("shot_threshold", 200)),
            resolution=int(settings.get("shot_resolution", 256)),
            shortest=min(int(settings.get("clip", 8)), 8),
        )
        films = films_of(path, int(settings["size"]), cache)
        if not films:
            raise TrainingError(f"{path} holds neither frames nor videos", "set data.series")
        source = FilmShots(path.stem, films, rules, cache)
    order = _order(len(source), seed)
    if series == trained:
        half = max(1, len(order) // 2)
        return _some_shots(source, (order[half:] or order) if split == "dev" else order[:half])
    first = int(settings.get("finetune_shots", 0))
    return _some_shots(source, order[:first] if split == "finetune" else order[first:])


def _pictures(
    kind: str,
    settings: Settings,
    data: Path | None,
    split: str,
    own: Callable[[Path], PictureSource],
) -> PictureSource:
    if data is None:
        made = settings.get("set") or settings.get("procedural") or _GENERATED[kind]
        made = _GENERATED[kind] if made in ("procedural", "folder") else made
        seed = int(settings.get("seed", 0)) * 2 + (split != "train")
        return GeneratedPictures(made, int(settings["count"]), seed, int(settings["size"]))
    folders = _shared_folders(kind, settings, data)
    if not folders and not data.is_dir():
        raise TrainingError(f"{data} is no folder", "name an existing folder in --data")
    sources = [own(folder) for folder in folders or [data]]
    source = sources[0] if len(sources) == 1 else Joined(sources)
    limit = int(settings.get("limit", 0))
    return Part(source, range(min(limit, len(source)))) if limit else source


def _coloured(folder: Path, split: str) -> PictureSource:
    part = split_folder(folder, split)
    place = part or folder
    entries = [entry for entry in parallel_entries(place) if entry.color]
    source = FilePictures(folder.name, entries or photo_entries(place), place)
    return source if part else _held_out(source, split)


def _shared_folders(kind: str, settings: Settings, data: Path) -> list[Path]:
    """The shared sets that ``set`` names within ``data``; [] when it is a folder of one's own."""
    if not data.is_dir():
        raise TrainingError(f"{data} is no folder", "name an existing folder in --data")
    wanted = str(settings.get("set", ""))
    present = [name for name in SETS if (data / name).is_dir()]
    if data.name in SETS and not present:
        return [data]
    if wanted in ("", "folder", "procedural", *_GENERATED.values()):
        return [data / name for name in DEFAULTS[kind] if name in present]
    names = []
    for part in wanted.split("+"):
        found = [name for name in present if name == part] or [
            name for name in present if name.startswith(f"{part}_")
        ]
        if not found:
            near = difflib.get_close_matches(part, present, 1)
            action = f"did you mean {near[0]}?" if near else f"use one of {', '.join(present)}"
            raise TrainingError(f"{data} holds no set {part!r}", action)
        names += found
    return [data / name for name in names]


def _held_out(source: PictureSource, split: str) -> PictureSource:
    """A tenth of an unsplit folder, by the pictures' names; one picture is both parts."""
    held = [i for i in range(len(source)) if in_held_out_part(source.label(i))]
    if not held or len(held) == len(source):
        held = [len(source) - 1]
    if split != "train":
        return Part(source, held)
    away = set(held)
    return Part(source, [i for i in range(len(source)) if i not in away] or held)


def _joined_shots(places: list[Path], folders: list[Path]) -> ShotPart:
    sources = [
        FileShots(folder.name, shot_entries(place), place)
        for place, folder in zip(places, folders, strict=True)
        if place.is_dir()
    ]
    if not sources:
        raise TrainingError(f"{folders[0]} has no part {places[0].name}", "restore the data set")
    return ShotPart.joined(sources)


def _order(length: int, seed: int) -> list[int]:
    return [int(index) for index in np.random.default_rng((seed, 107)).permutation(length)]


def _some_shots(source: ShotSource, indices: list[int]) -> ShotPart:
    if not indices:
        raise TrainingError(
            f"no shot of {source.name} is left for this part", "lower finetune.shots"
        )
    return ShotPart([source], [(0, index) for index in indices])


def _limited_shots(source: ShotSource, settings: Settings) -> ShotSource:
    limit = int(settings.get("limit", 0))
    return _some_shots(source, list(range(min(limit, len(source))))) if limit else source
