"""What each picture of `nuri batch` was made of, so that a later run makes what has changed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.models.registry import BORDERS, CHOOSERS, MATCHER

from .batch_plan import Drawing
from .recipes import Recipes, digest, networks
from .request import job_options, task_of

FILE = ".nuri-batch.json"


class Made:
    """The recipes of the pictures in the folder of results; to be used as `Recipes`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._folder: Path = options.output
        self._recipes = Recipes(self._folder / FILE, force=options.force)
        self._manner = self._manner_of(options)

    def is_done(self, drawing: Drawing) -> bool:
        """True when the output was made of the lines, hints and options that it has now."""
        sources = [drawing.line, *([drawing.hints] if drawing.hints else [])]
        recipe = digest(self._manner, *map(self._recipes.content, sources))
        return self._recipes.is_made(self._name(drawing), recipe, drawing.output, sources)

    def note(self, drawing: Drawing) -> None:
        """The output of a drawing that was not done has been written."""
        self._recipes.note(self._name(drawing))

    def save(self) -> None:
        """Write the file, if there is anything new."""
        self._recipes.save()

    def close(self) -> None:
        """What is left undone keeps the recipe of what is there."""
        self._recipes.close()

    def _name(self, drawing: Drawing) -> str:
        return drawing.output.relative_to(self._folder).as_posix()

    def _manner_of(self, options: argparse.Namespace) -> str:
        """How drawings are coloured: options that change pixels, references, and the networks."""
        wanted = job_options(options, ["picture"])
        found: list[str] = []
        if task_of(options) == "layer":
            model = wanted.setdefault("model", MATCHER)
            found = networks(model, BORDERS, *([MATCHER] if model in CHOOSERS else []))
        references = map(self._recipes.content, options.reference or ())
        return digest(task_of(options), json.dumps(wanted, sort_keys=True), *found, *references)
