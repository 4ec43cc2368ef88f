"""Which drawings of a folder `nuri batch` colours, with which hints, and where they go.

NAME.png takes its hints from NAME.hints.png beside it. With a folder of hints it takes them from
NAME.hints.png or NAME.png there, in the same sub-folder. Hints may be PNG, WebP or TIFF.
A .kra or .ora file takes such hints where there are any, else those of its own hint layer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.imaging import io
from protocol.errors import ErrorCode, NuriError

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
    names = Counter(line.relative_to(folder).with_suffix("") for line in lines)
    for line in lines:
        inner = line.relative_to(folder)
        is_unique = names[inner.with_suffix("")] == 1
        # Two files that differ in their ending alone keep it, so that neither is written over.
        target = output / (inner.with_suffix(".png") if is_unique else f"{inner}.png")
        own_hints = _hints_of(line, inner.parent, hints)
        if own_hints is None and not bare and not io.is_layered(line):
            plan.problems.append((line, _no_hints(line, hints)))
        else:
            plan.drawings.append(Drawing(line, own_hints, target))
    return plan


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
    left_out = {io.resolved(place) for place in (output, hints) if place is not None}
    for path in paths:
        if path.name.startswith(".") or not io.looks_readable(path):
            continue
        if path.stem.endswith(_MARK) or not path.is_file():
            continue
        # In a recursive run the results and the hints may lie inside the folder itself.
        parents = {io.resolved(parent) for parent in path.parents}
        if not left_out & parents or io.resolved(folder) in left_out:
            yield path


def _hints_of(line: Path, inner: Path, folder: Path | None) -> Path | None:
    place = line.parent if folder is None else folder / inner
    names = [f"{line.stem}{_MARK}"] if folder is None else [f"{line.stem}{_MARK}", line.stem]
    for name in names:
        for suffix in _HINT_SUFFIXES:
            path = place / f"{name}{suffix}"
            if path.is_file():
                return path
    return None


def _no_hints(line: Path, folder: Path | None) -> NuriError:
    place = line.parent if folder is None else folder
    return NuriError(
        ErrorCode.not_found,
        f"there are no hints for {line}",
        f"Put them into {place / (line.stem + _MARK + '.png')}",
    )
