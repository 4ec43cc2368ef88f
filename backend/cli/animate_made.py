"""What each frame of `nuri animate` was made of, so that a later run makes what has changed.

The recipe of a frame names its lines, the options, the network, and every key frame of its shot:
besides those next to it in time a frame follows the one whose lines are most like its own. What the
frame coloured before lends to it does not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from backend.imaging.film import Film
from backend.models.registry import MATCHER, TEMPORAL

from .animate_plan import KeyPicture, Plan, ShotFrame
from .recipes import Recipes, digest, networks

FILE = ".nuri-animate.json"


class Made:
    """The recipes of the frames in a folder; to be used as `Recipes`."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._recipes = Recipes(folder / FILE, force=options.force)
        self._manner = _manner(options)

    def is_done(self, frame: ShotFrame, shot: Plan) -> bool:
        """True when the output was made of the lines, key frames and options that it has now."""
        keys = [
            f"{at.time - frame.time} {self._of_key(key)} {self._of_frame(at)}"
            for at, key in shot.keys
        ]
        recipe = digest(self._of_frame(frame), self._manner, *keys)
        return self._compare(frame, recipe, [key.path for _, key in shot.keys])

    def is_copied(self, frame: ShotFrame, key: KeyPicture) -> bool:
        """True when the output is this key frame, a file."""
        return self._compare(frame, digest("key", self._of_key(key)), [key.path])

    def recipe(self, frame: ShotFrame) -> str:
        """A short name of what the output that is there was made of, "" where it is not known."""
        return self._recipes.of(frame.name)

    def lines(self, frame: ShotFrame) -> str:
        """A short name of the lines of a frame; never the same where they cannot be read."""
        return self._of_frame(frame)

    def is_left_over(self, frame: ShotFrame) -> bool:
        """True when there is an output of an earlier run, whatever it was made of."""
        return self._recipes.knows(frame.name) and frame.output.is_file()

    def note(self, frame: ShotFrame) -> None:
        """The output of a frame that was not done has been written."""
        self._recipes.note(frame.name)

    def save(self) -> None:
        """Write the file, if there is anything new."""
        self._recipes.save()

    def close(self) -> None:
        """What is left undone keeps the recipe of what is there."""
        self._recipes.close()

    def _compare(self, frame: ShotFrame, recipe: str, keys: Iterable[Path]) -> bool:
        sources = (frame.source, *keys)
        return self._recipes.is_made(frame.name, recipe, frame.output, sources)

    def _of_frame(self, frame: ShotFrame) -> str:
        picture = self._picture(frame.source, frame.film, frame.index)
        return f"{picture} {frame.layer}" if frame.layer else picture

    def _of_key(self, key: KeyPicture) -> str:
        return self._picture(key.path, key.film, key.index)

    def _picture(self, path: Path, film: Film | None, index: int) -> str:
        """A short name of what is in a file, or of one frame in it."""
        if film is None:
            return self._recipes.content(path)
        return self._recipes.content(path, f"{film.layer} {index}", partial(_pixels, film, index))


def _manner(options: argparse.Namespace) -> str:
    """How frames are coloured: every option that changes pixels, and the weights of the network."""
    model = options.model or MATCHER
    weights = networks(model, TEMPORAL.get(model, ""))
    return digest(model, *weights, f"lines {options.lines} soft {options.soft}")


def _pixels(film: Film, index: int) -> bytes:
    pixels = film.frame(index)
    return f"{pixels.shape} {pixels.dtype}".encode() + pixels.tobytes()
