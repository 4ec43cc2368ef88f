"""Folders of shots and films in the papers' layouts and of the shared sets, as lists of files."""

from __future__ import annotations

import logging
from pathlib import Path

from training.errors import TrainingError

from .cache import ArrayCache
from .files import natural_order, pictures_in
from .films import VIDEO_SUFFIXES, FrameFolder, FrameStore, VideoFile
from .layouts import index_of
from .sources import Entry

_log = logging.getLogger("nuri.training")
_TRIPLET = 3
Shots = list[tuple[str, list[Entry]]]


def shot_entries(folder: Path) -> Shots:
    """Shots of folders with color_0001, line_0001 and, where all frames have it, seg_0001.

    A folder that holds such files itself is a shot.
    """
    shots = []
    listed = index_of(folder)
    places = (
        [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
        if listed is None
        else [folder / str(item.get("shot")) for item in listed]
    )
    for place in places:
        files = {path.stem: path for path in pictures_in(place)}
        frames = [
            Entry(
                f"{place.name}/{stem[6:]}",
                path,
                files.get(f"line_{stem[6:]}"),
                files.get(f"seg_{stem[6:]}"),
            )
            for stem, path in files.items()
            if stem.startswith("color_")
        ]
        if len(frames) > 1:
            shots.append((place.name, frames))
    return shots


def triplet_entries(folder: Path) -> Shots:
    """Shots of folders with three frames each, as ATD-12K has them (Siyao et al. 2021).

    A folder with fewer is left out and named. [] where one holds more, or beside videos: there the
    frames are films.
    """
    shots: Shots = []
    short = []
    for child in sorted(folder.iterdir(), key=natural_order):
        frames = pictures_in(child)
        if len(frames) > _TRIPLET or child.suffix.lower() in VIDEO_SUFFIXES:
            return []
        if len(frames) == _TRIPLET:
            entries = [Entry(f"{child.name}/{path.stem}", path) for path in frames]
            shots.append((child.name, entries))
        elif frames:
            short.append(child)
    for child in short if shots else []:
        _log.warning("%s holds fewer frames than three; it is left out", child)
    return shots


def triplet_part(folder: Path, part: str) -> Shots:
    """The triplets of ATD-12K's train_10k/ ("train") or test_2k.../ ("test"); [] without such."""
    parts = (child for child in sorted(folder.glob(f"{part}_*")) if child.is_dir())
    return next((found for child in parts if (found := triplet_entries(child))), [])


def holds_frame_folders(folder: Path) -> bool:
    """Whether a folder has folders of pictures in it."""
    return any(pictures_in(child) for child in folder.iterdir())


def series_of(folder: Path, series: str) -> Path:
    """The file or folder of a series: by name, or by number (from 1) in natural order.

    A folder that holds frames is a series itself. Raises TrainingError when there is none.
    """
    if pictures_in(folder):
        return folder
    children = sorted(
        (
            child
            for child in folder.iterdir()
            if child.is_dir() or child.suffix.lower() in VIDEO_SUFFIXES
        ),
        key=natural_order,
    )
    for child in children:
        if series in (child.name, child.stem):
            return child
    if series.isdigit() and 1 <= int(series) <= len(children):
        return children[int(series) - 1]
    names = ", ".join(child.name for child in children[:6]) or "neither folders nor videos"
    raise TrainingError(f"{folder} has no series {series!r} (it holds {names})", "set data.series")


def films_of(path: Path, size: int, cache: ArrayCache) -> list[FrameStore]:
    """The films of a series: a video, a folder of frames, or a folder of either."""
    if path.is_file():
        return [VideoFile(path, size, cache)]
    frames = pictures_in(path)
    if frames:
        return [FrameFolder(path.name, frames)]
    films: list[FrameStore] = []
    for child in sorted(path.iterdir(), key=natural_order):
        if child.is_file() and child.suffix.lower() in VIDEO_SUFFIXES:
            films.append(VideoFile(child, size, cache))
        elif child.is_dir() and (frames := pictures_in(child)):
            films.append(FrameFolder(child.name, frames))
    return films
