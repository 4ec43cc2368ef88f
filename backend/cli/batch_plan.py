"""Which drawings of a folder `nuri batch` colours, with which hints, and where they go.

NAME.png takes its hints from NAME.hints.png beside it. With a folder of hints it takes them from
NAME.hints.png or NAME.png there, in the same sub-folder. Hints may be PNG, WebP or TIFF; their
endings may be in capitals.
A .kra or .ora file takes such hints where there are any, else those of its own hint layer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.imaging import disk, io
from protocol.errors import ErrorCode, NuriError
from protocol.folders import file_identity

from .parser import UsageError
from .request import check_some_layered

_MARK = ".hints"
_HINT_SUFFIXES = (".png", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Drawing:
    """One file to colour. ``hints`` is None where a .kra or .ora file brings its own or none is
    needed."""

    line: Path
    hints: Path | None
    output: Path


@dataclass(frozen=True)
class Plan:
    """``problems``: drawings that cannot be coloured and folders that cannot be read, and why."""

    drawings: list[Drawing]
    problems: list[tuple[Path, NuriError]]


def make_plan(
    folder: Path, output: Path, *, recursive: bool, hints: Path | None, bare: bool = False
) -> Plan:
    """Look through a folder, in order of names. ``bare``: drawings need no hints.

    Raises NuriError: not_found, bad_input.
    """
    for place in (folder, hints):
        if place is not None and not place.is_dir():
            raise NuriError(
                ErrorCode.not_found,
                f"{place} is no folder",
                "Name a folder; `nuri colorize` is for one drawing",
            )
    plan = Plan([], [])
    paths = _paths(folder, recursive, plan)
    lines = list(_lines(folder, paths, output, hints))
    if not lines and not plan.problems:
        deeper = "" if recursive else ", or add --recursive"
        raise NuriError(
            ErrorCode.bad_input,
            f"{folder} holds no drawings",
            f"Put PNG, JPEG, WebP, TIFF, .kra or .ora files there{deeper}",
        )
    targets = _targets([line.relative_to(folder) for line in lines], output)
    marked = _Marked()
    for line, target in zip(lines, targets, strict=True):
        own_hints = _hints_of(line, line.relative_to(folder).parent, hints, marked)
        if own_hints is None and not bare and not io.is_layered(line):
            plan.problems.append((line, _no_hints(line, hints)))
        else:
            plan.drawings.append(Drawing(line, own_hints, target))
    return plan


def check_spared(plan: Plan, references: Iterable[Path]) -> None:
    """Refuse a plan whose results would replace what is read for it. Raises UsageError."""
    read = [path for drawing in plan.drawings for path in (drawing.line, drawing.hints) if path]
    read += [*(path for path, _ in plan.problems), *references]
    spared = {file for file in map(file_identity, read) if file}
    for drawing in plan.drawings:
        if file_identity(drawing.output) in spared:
            raise UsageError(
                f"{drawing.output} is read for this batch and would be written over (choose "
                "another folder for -o)"
            )


def check_layered(plan: Plan, line_layer: str, hint_layer: str) -> None:
    """Refuse names of layers, "" for none, where no file has any. Raises UsageError."""
    lines = [drawing.line for drawing in plan.drawings]
    hints = [drawing.hints or drawing.line for drawing in plan.drawings]
    check_some_layered("--line-layer", line_layer, lines, "of which there are none")
    check_some_layered("--hint-layer", hint_layer, hints, "of which there are none")


def _targets(inner: list[Path], output: Path) -> list[Path]:
    """Where the results of drawings go: NAME.png, each to a file of its own.

    Drawings of one name keep their ending (NAME.jpg.png), and get a number where that does not help
    either. Names that differ in capitals alone are one file on many disks.
    """

    def place(target: Path) -> str:
        return str(disk.resolved(target)).casefold()

    short = [output / path.with_suffix(".png") for path in inner]
    whole = [output / f"{path}.png" for path in inner]
    targets = short
    while True:
        counts = Counter(map(place, targets))
        kept = [
            long if counts[place(target)] > 1 else target
            for target, long in zip(targets, whole, strict=True)
        ]
        if kept == targets:
            break
        targets = kept
    taken = {place(target) for target in targets if counts[place(target)] == 1}
    for index, target in enumerate(targets):
        if counts[place(target)] == 1:
            continue
        number = 1
        while place(targets[index]) in taken:
            number += 1
            targets[index] = target.with_name(f"{target.stem}-{number}.png")
        taken.add(place(targets[index]))
    return targets


def _paths(folder: Path, recursive: bool, plan: Plan) -> list[Path]:
    """All files, in order of names; a folder that cannot be read is a problem of the plan."""

    def refuse(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename))
        reason = NuriError(
            ErrorCode.bad_input,
            f"{place} cannot be read: {error.strerror}",
            "Check who may read this folder",
        )
        if place == folder:
            raise reason
        plan.problems.append((place, reason))

    found: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        found += [Path(place, name) for name in files]
    return sorted(found)


def _lines(folder: Path, paths: Iterable[Path], output: Path, hints: Path | None) -> Iterator[Path]:
    top = disk.resolved(folder)
    places = {disk.resolved(place) for place in (output, hints) if place is not None}
    # In a recursive run the results and the hints may lie inside the folder itself.
    left_out = {place for place in places if top in place.parents}
    for path in paths:
        if path.name.startswith(".") or not io.looks_readable(path):
            continue
        if path.stem.casefold().endswith(_MARK) or not path.is_file():
            continue
        if not left_out or not left_out & {disk.resolved(parent) for parent in path.parents}:
            yield path


class _Marked:
    """The files of folders, each of which is looked through once."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, Path]] = {}

    def find(self, folder: Path, stem: str, ending: str) -> Path | None:
        """The file ``stem`` + ``ending``, a lower-case ending that may be in capitals there."""
        if folder not in self._folders:
            self._folders[folder] = self._listed(folder)
        name = stem + ending
        path = self._folders[folder].get(name, folder / name)  # a disk may ignore all capitals
        return path if path.is_file() else None

    @staticmethod
    def _listed(folder: Path) -> dict[str, Path]:
        try:
            names = sorted(os.listdir(folder))
        except OSError:  # told where it is looked through for drawings
            return {}
        found = {_with_small_ending(name): folder / name for name in names}
        return {**found, **{name: folder / name for name in names}}  # exact names come first


def _with_small_ending(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    if stem.casefold().endswith(_MARK):
        stem = stem[: -len(_MARK)] + _MARK
    return stem + suffix.casefold()


def _hints_of(line: Path, inner: Path, folder: Path | None, marked: _Marked) -> Path | None:
    place = line.parent if folder is None else folder / inner
    marks = [_MARK] if folder is None else [_MARK, ""]
    for mark in marks:
        for suffix in _HINT_SUFFIXES:
            path = marked.find(place, line.stem, mark + suffix)
            if path is not None:
                return path
    return None


def _no_hints(line: Path, folder: Path | None) -> NuriError:
    place = line.parent if folder is None else folder
    return NuriError(
        ErrorCode.not_found,
        f"there are no hints for {line}",
        f"Put them into {place / (line.stem + _MARK + '.png')}",
    )
