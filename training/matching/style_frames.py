"""Coloured frames to learn a style from: found, sorted by character, some of them held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from backend.imaging.color import rgb_to_lab
from backend.regions.colored import SAME_PAINT
from training.data.files import natural_order, read_pixels
from training.data.picture import BadPicture
from training.errors import TrainingError

from .drawings import Subject, prepare

LEAST = 2  # coloured frames
HELD = 5  # of so many frames the last one is kept for measuring
ALIKE = 0.5  # share of paints that two shots of one character have in common
QUESTIONS = 24  # at most, frames times references
REFERENCES = 2  # that a held frame is measured against

_Item = TypeVar("_Item")
Frame = tuple[Path, Path]  # line, colour


@dataclass(frozen=True)
class Lesson:
    """``subjects``: what is trained on, a character each. ``asked``: held frame and reference."""

    subjects: tuple[Subject, ...]
    asked: tuple[tuple[Frame, Frame], ...]

    @property
    def frames(self) -> int:
        return sum(len(subject.drawings) for subject in self.subjects)

    @property
    def held(self) -> int:
        return len({frame for frame, _ in self.asked})


@dataclass(frozen=True)
class _Shot:
    name: str
    frames: list[Frame]
    paints: np.ndarray


def plan_lesson(
    folder: Path, cache: Path, say: Callable[[str], None], check: Path | None = None
) -> Lesson:
    """The frames of a folder and the folders in it: ``line_*`` pictures with their ``color_*``.

    Shots whose paints agree show one character. Of each the last fifth of the frames, at least
    one, is held back and measured on; with ``check`` all are trained on and the frames of that
    folder are measured on. ``say`` hears of frames that cannot serve. ``cache``: folder for
    prepared drawings. Raises TrainingError when there is too little, or a picture is unreadable.
    """
    characters = _characters(_shots(folder, cache, say))
    found = [(frame, shot) for shots in characters for shot in shots for frame in shot.frames]
    if len(found) < LEAST:
        raise TrainingError(
            f"{folder} has {len(found)} coloured frame(s) with closed coloured regions, "
            f"{LEAST} are needed",
            "put line_NAME and color_NAME pictures of one size into it",
        )
    asked: list[tuple[Frame, Frame]] = []
    subjects = []
    for number, shots in enumerate(characters):
        frames = [frame for shot in shots for frame in shot.frames]
        held = [] if check else frames[len(frames) - _held(len(frames)) :]
        kept = frames[: len(frames) - len(held)]
        subjects.append(Subject("style", f"character {number + 1}", tuple(kept)))
        asked += [(frame, reference) for frame in held for reference in _spread(kept, REFERENCES)]
    if check:
        asked = _asked_of(_shots(check, cache, say), characters, {frame for frame, _ in found})
    if not asked:
        raise TrainingError(
            f"{check or folder} has no frame to measure on whose character is among the others",
            "add a second coloured frame of one character",
        )
    return Lesson(tuple(subjects), tuple(_spread(asked, QUESTIONS)))


def _held(frames: int) -> int:
    return max(1, frames // HELD) if frames >= LEAST else 0


def _asked_of(
    checked: list[_Shot], characters: list[list[_Shot]], trained: set[Frame]
) -> list[tuple[Frame, Frame]]:
    asked = []
    for shot in checked:
        known = {line.resolve() for line, _ in trained}
        if twice := [line for line, _ in shot.frames if line.resolve() in known]:
            raise TrainingError(f"{twice[0]} would be trained on", "measure on other frames")
        shots = next((one for one in characters if any(_alike(shot, other) for other in one)), [])
        references = _spread([frame for other in shots for frame in other.frames], REFERENCES)
        asked += [(frame, reference) for frame in shot.frames for reference in references]
    return asked


def _spread(items: Sequence[_Item], most: int) -> list[_Item]:
    """At most so many of them, evenly, the first and the last included."""
    if len(items) <= most:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, most).round()]


def _shots(folder: Path, cache: Path, say: Callable[[str], None]) -> list[_Shot]:
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}", "name a folder of coloured frames")
    shots = []
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for place in sorted(places, key=natural_order):
        frames, paints = [], []
        for line in sorted(place.glob("line_*"), key=natural_order):
            color = _color_of(line)
            if color is None:
                continue
            if (reason := _unfit(line, color)) is None:
                made = prepare(line, color, cache)
                # the ground is one region and one paint
                closed = np.unique(made.regions[made.solid & (made.regions > 0)])
                if len(closed) < 2 or len(made.palette) < 2:
                    reason = "it has no closed coloured regions"
            if reason is not None:
                say(f"{color} is left out: {reason}")
                continue
            frames.append((line, color))
            paints.append(made.palette)
        if frames:
            shots.append(_Shot(str(place), frames, np.concatenate(paints)))
    return shots


def _color_of(line: Path) -> Path | None:
    same = line.with_name(line.name.replace("line_", "color_", 1))
    if same.is_file():
        return same
    return next(iter(sorted(same.parent.glob(f"{same.stem}.*"))), None)


def _unfit(line: Path, color: Path) -> str | None:
    try:
        sizes = [read_pixels(path)[0].shape[:2] for path in (line, color)]
    except BadPicture as error:
        raise TrainingError(str(error), "mend it or take it out") from error
    if sizes[0] != sizes[1]:
        (tall, wide), (other_tall, other_wide) = sizes
        return f"it is {other_wide} x {other_tall}, its lines are {wide} x {tall}"
    return None


def _characters(shots: list[_Shot]) -> list[list[_Shot]]:
    """The shots of each character: those that share paints, also by way of others."""
    groups: list[list[_Shot]] = []
    for shot in shots:
        same = [group for group in groups if any(_alike(shot, other) for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([*(other for group in same for other in group), shot])
    return groups


def _alike(one: _Shot, other: _Shot) -> bool:
    first, second = (
        rgb_to_lab(np.unique(shot.paints, axis=0)[None].astype(np.float32) / 255)[0]
        for shot in (one, other)
    )
    near = np.linalg.norm(first[:, None] - second[None], axis=-1) < SAME_PAINT
    # white paper and black are in every drawing, hence more than a few have to agree
    return bool(min(near.any(1).mean(), near.any(0).mean()) >= ALIKE)
