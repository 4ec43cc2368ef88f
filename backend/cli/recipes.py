"""What the pictures in a folder were made of, so that a later run makes what has changed.

A recipe is a digest of all that decides about a picture: the files, the options, the networks. One
hidden file beside the pictures has their recipes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from backend.imaging import disk
from backend.weights import store, styles
from protocol.errors import NuriError

_SIZE = 12  # bytes of a digest
_SAVE_SECONDS = 1.0  # between two writings of the file, which is long where the film is


class Recipes:
    """The recipes of the pictures in a folder, by name. Ask what `is_made`, `save`, `note` each
    picture that is written, and `close`, however a run ends. Raises NuriError where the file cannot
    be written.

    While pictures are being made their recipes in the file are empty, so that what a run has
    written when it is killed is never taken for something else.
    """

    def __init__(self, path: Path, *, force: bool) -> None:
        self._path = path
        self._force = force
        self._saved = _read(path)
        self._recipes = dict(self._saved["recipes"])
        self._left: dict[str, str] = {}
        self._pictures: dict[str, str] = {}
        self._seen: dict[tuple[Path, str], str] = {}
        self._next_save = 0.0

    def is_made(self, name: str, recipe: str, output: Path, sources: Iterable[Path]) -> bool:
        """True when the output was made by this recipe, and need not be made by force.

        Of an output without a recipe times alone tell: whether it is newer than its sources.
        """
        noted = self._recipes.get(name)
        is_so = _is_newer(output, sources) if noted is None else noted == recipe
        if is_so and output.is_file() and not self._force:
            self._recipes[name] = recipe
            return True
        self._left[name] = recipe
        return False

    def of(self, name: str) -> str:
        """The recipe of the output that is there, "" where it is not known."""
        return self._recipes.get(name, "")

    def knows(self, name: str) -> bool:
        """True for an output of an earlier run, whatever it was made of."""
        return name in self._recipes

    def note(self, name: str) -> None:
        """The output that was not made has been written."""
        self._recipes[name] = self._left.pop(name)
        if time.monotonic() >= self._next_save:
            self.save()

    def save(self) -> None:
        """Write the file, if there is anything new."""
        recipes = {**self._recipes, **dict.fromkeys(self._left, "")}
        known = {"recipes": recipes, "pictures": dict(self._pictures)}
        if known != self._saved:
            disk.write_atomic(self._path, json.dumps(known).encode())
            self._saved = known
        self._next_save = time.monotonic() + _SAVE_SECONDS

    def close(self) -> None:
        """What is left undone keeps the recipe of what is there."""
        self._left.clear()
        self.save()

    def content(self, path: Path, part: str = "", read: Callable[[], bytes] | None = None) -> str:
        """A short name of what is in a file, or in the ``part`` of it that ``read`` gives."""
        place = path, part
        if place not in self._seen:
            try:
                self._seen[place] = self._look(path, part, read or partial(disk.read_file, path))
            except (NuriError, OSError):  # told when it is its turn; never the same as before
                self._seen[place] = f"unread {time.time_ns()}"
        return self._seen[place]

    def _look(self, path: Path, part: str, read: Callable[[], bytes]) -> str:
        """What the file says, unless it has been read when it had the same size and time."""
        facts = path.stat()
        state = digest(str(disk.resolved(path)), part, f"{facts.st_size} {facts.st_mtime_ns}")
        known = self._saved["pictures"].get(state)
        if known is None:
            known = digest(read())
        self._pictures[state] = known
        return known


def networks(*models: str) -> list[str]:
    """What tells the weights of these models and styles from others; nothing for absent ones."""
    if find_spec("torch") is None:
        return []
    there = store.installed()
    found = []
    for model in models:
        if model.startswith(styles.PREFIX):
            found.append(digest(disk.read_file(styles.path_of(model))))
        elif model in there:
            found.append(store.entries()[model].sha256)
    return found


def digest(*parts: str | bytes) -> str:
    """A short name for texts and bytes."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        data = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


def _is_newer(output: Path, sources: Iterable[Path]) -> bool:
    if not output.is_file():
        return False
    written = output.stat().st_mtime_ns
    return all(path.stat().st_mtime_ns <= written for path in sources)


def _read(path: Path) -> dict[str, dict[str, str]]:
    """The file; empty where there is none, or none of use."""
    try:
        known = json.loads(path.read_bytes())
        tables = {name: known[name].items() for name in ("recipes", "pictures")}
        return {name: {one: str(it) for one, it in table} for name, table in tables.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"recipes": {}, "pictures": {}}
