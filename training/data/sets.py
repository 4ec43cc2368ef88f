"""Which pictures a data table means: generated ones, the shared sets, a folder of one's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.errors import TrainingError

from .layouts import (
    HELD_OUT,
    TRAIN,
    monochrome_entries,
    named_child,
    pair_source,
    parallel_entries,
    photo_entries,
    split_folder,
)
from .lists import listed, some_of_each_folder
from .picture import PictureSource
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
    """Photographs of any tree of folders, and paintings: color/ of a folder that has it.

    With ``reverse`` a folder of one's own with train/ and val/ is trained on val/ and tested on
    ``per_class`` pictures, drawn by ``eval_seed``, of each folder of train/, as IBN-GAN was on
    ILSVRC; the shared sets keep their split. ``list`` is a file that names the pictures to test on
    (see `listed`); of a folder without parts all others train.
    """
    training, named = split == "train", str(settings.get("list", ""))

    def own(folder: Path) -> PictureSource:
        reverse = settings.get("reverse", False) and folder.name not in SETS
        part = split_folder(folder, "train" if training != reverse else "dev")
        source = _coloured_in(part or folder, folder.name)
        if named and not (part and training):
            return listed(source, Path(named), wanted=not training)
        if part is None:
            return _held_out(source, split)
        if training or not reverse:
            return source
        count, seed = int(settings.get("per_class", 0)), int(settings.get("eval_seed", 0))
        return some_of_each_folder(source, count, seed)

    return _pictures("photos", settings, data, split, own)


def open_pages(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Coloured pages: color/ of a folder, or the folder's own pictures."""

    def own(folder: Path) -> PictureSource:
        part = split_folder(folder, split)
        source = _coloured_in(part or folder, folder.name)
        return source if part else _held_out(source, split)

    return _pictures("pages", settings, data, split, own)


def open_manga(settings: Settings, data: Path | None, split: str) -> PictureSource:
    """Black-and-white pages: bw/, bw_manga/ or grey/ of a folder; colours are not looked at.

    Raises TrainingError when there are none.
    """

    def own(folder: Path) -> PictureSource:
        part = split_folder(folder, split)
        place = part or folder
        source = FilePictures(folder.name, monochrome_entries(place), place)
        return source if part else _held_out(source, split)

    return Monochrome(_pictures("pages", settings, data, split, own))


def all_manga(settings: Settings, data: Path | None) -> PictureSource | None:
    """The black-and-white pages of all parts, those to fine-tune on too; None when none are given.

    Generated pages have them, other generated pictures have none.
    """
    source: PictureSource
    if data is None:
        if _generated_kind("pages", settings) != "page":
            return None
        source = Joined([open_manga(settings, None, split) for split in ("train", "dev")])
    else:
        found = []
        for folder in shared_folders("pages", settings, data) or [data]:
            parts = (named_child(folder, names) for names in (TRAIN, HELD_OUT))
            for place in [part for part in parts if part] or [folder]:
                if entries := monochrome_entries(place):
                    found.append(FilePictures(folder.name, entries, place))
        if not found:
            return None
        source = Monochrome(Joined(found))
    return _limited(source, settings)


def _pictures(
    kind: str,
    settings: Settings,
    data: Path | None,
    split: str,
    own: Callable[[Path], PictureSource],
) -> PictureSource:
    if data is None:
        seed = int(settings.get("seed", 0)) * 2 + (split != "train")
        made = _generated_kind(kind, settings)
        return GeneratedPictures(made, int(settings["count"]), seed, int(settings["size"]))
    folders = shared_folders(kind, settings, data)
    if not folders and not data.is_dir():
        raise TrainingError(f"{data} is no folder", "name an existing folder in --data")
    sources = [own(folder) for folder in folders or [data]]
    return _limited(sources[0] if len(sources) == 1 else Joined(sources), settings)


def _limited(source: PictureSource, settings: Settings) -> PictureSource:
    limit = int(settings.get("limit", 0))
    return Part(source, range(min(limit, len(source)))) if limit else source


def _generated_kind(kind: str, settings: Settings) -> str:
    made = str(settings.get("set") or settings.get("procedural") or _GENERATED[kind])
    return _GENERATED[kind] if made in ("procedural", "folder") else made


def _coloured_in(place: Path, name: str) -> PictureSource:
    # black-and-white pages that share a name with a coloured one may be of another book
    entries = [replace(e, monochrome=None) for e in parallel_entries(place) if e.color]
    return FilePictures(name, entries or photo_entries(place), place)


def shared_folders(kind: str, settings: Settings, data: Path) -> list[Path]:
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
