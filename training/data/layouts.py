"""Folders of pictures in the papers' layouts and of the shared sets, as lists of files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from training.errors import TrainingError

from .files import pictures_below, pictures_in, read_pixels
from .picture import BadPicture, PictureSource
from .sources import Entry, FilePictures, PairImages

COLOR = ("color", "colour", "colored")
LINE = ("line", "lines", "sketch")
REGIONS = ("seg", "regions")
MONOCHROME = ("bw", "bw_manga", "grey")
TRAIN, HELD_OUT = ("train",), ("dev", "val", "test", "validation")


def named_child(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of some subfolders that there is."""
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def split_folder(folder: Path, split: str) -> Path | None:
    """Where a folder keeps a split ("train" or "dev"); None when it is not split."""
    if named_child(folder, TRAIN) is None:
        return None
    found = named_child(folder, TRAIN if split == "train" else HELD_OUT)
    if found is None:
        raise TrainingError(
            f"{folder} has train/ but no held-out part", "add val/ or dev/ beside train/"
        )
    return found


def index_of(folder: Path) -> list[dict[str, object]] | None:
    """The items of index.json; None when there is none. Raises TrainingError when damaged."""
    path = folder / "index.json"
    if not path.is_file():
        return None
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}", "restore the data set") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TrainingError(f"{path} is no list of items", "restore the data set")
    return items


def parallel_entries(folder: Path) -> list[Entry]:
    """Pictures of color/, line/, seg/ and bw/ that share a name; in the order of index.json.

    Of color/ and bw/ one is enough; a picture without a drawing has none. [] when neither is there.
    """
    parts = [named_child(folder, names) for names in (COLOR, LINE, REGIONS, MONOCHROME)]
    color, line, regions, monochrome = (
        {path.stem: path for path in pictures_in(part)} if part else {} for part in parts
    )
    listed = index_of(folder)
    main = color or monochrome
    labels = list(main) if listed is None else [str(item.get("id")) for item in listed]
    return [
        Entry(label, color.get(label), line.get(label), regions.get(label), monochrome.get(label))
        for label in labels
        if label in main
    ]


def monochrome_entries(folder: Path) -> list[Entry]:
    """The pages of bw/, bw_manga/ or grey/ alone."""
    part = named_child(folder, MONOCHROME)
    return [Entry(path.stem, monochrome=path) for path in pictures_in(part)] if part else []


def photo_entries(folder: Path) -> list[Entry]:
    """All pictures of a tree; those that index.json lists where there is one."""
    paths = pictures_below(folder)
    listed = index_of(folder)
    if listed is not None:
        known = {str(item.get("id")) for item in listed}
        paths = [path for path in paths if path.stem in known]
    return [Entry(str(path.relative_to(folder).with_suffix("")), path) for path in paths]


def pair_source(folder: Path, name: str) -> PictureSource:
    """Parallel folders, or pictures twice as wide as high.

    Raises TrainingError for others, and when none of the pictures can be read.
    """
    entries = [entry for entry in parallel_entries(folder) if entry.color]
    if entries:
        return FilePictures(name, entries, folder)
    paths = pictures_in(folder)
    flaws = []
    for path in paths:
        try:
            height, width = read_pixels(path)[0].shape[:2]
        except BadPicture as error:
            flaws.append(str(error))
            continue
        if width == 2 * height:
            return PairImages(name, paths)
        break
    if paths and len(flaws) == len(paths):
        raise TrainingError(
            f"none of the {len(paths)} pictures of {folder} can be read: {flaws[0]}",
            "replace them, or choose another --data",
        )
    raise TrainingError(
        f"{folder} holds no pairs of drawing and colour",
        "give color/ and line/ folders, or pictures with colour left and drawing right",
    )
