"""Reads presets: one folder per paper, `defaults.toml` with every key, one file per table row."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.presets.configuration import (
    apply_settings,
    flatten,
    merge,
    read_toml,
    suggestion,
    to_toml,
)

FOLDER = Path(__file__).parent
DEFAULT_ROW = "default"
SOURCES = ("paper", "release", "ours")
NOT_ROWS = frozenset({"defaults", "tables", "budgets"})
ABOUT = frozenset({"title", "base", "source", "replace"})


@dataclass(frozen=True)
class Preset:
    """One configuration and where each of its values comes from.

    `sources` maps every dotted key to "paper" (said there), "release" (seen in the authors'
    code), "ours" (nobody says, or chosen for this project), "given" (set by the user) or
    "budget" (scaled down to a time).
    """

    paper: str
    row: str
    title: str
    config: dict[str, Any]
    sources: dict[str, str]

    def source(self, key: str) -> str:
        """Where the value of a dotted key comes from. Raises TrainingError for no such key."""
        if key not in self.sources:
            raise TrainingError(
                f"{self.paper}/{self.row}: there is no setting '{key}'",
                suggestion(key, self.sources),
            )
        return self.sources[key]

    def with_settings(self, settings: Sequence[str]) -> Preset:
        """This preset with `key=value` texts applied; their source becomes "given"."""
        config, changed = apply_settings(self.config, settings)
        return replace(
            self, config=config, sources={**self.sources, **dict.fromkeys(changed, "given")}
        )

    def with_changes(self, changes: Mapping[str, Any], source: str) -> Preset:
        """This preset with the dotted or nested `changes`, marked as coming from `source`."""
        config = merge(self.config, changes, f"{self.paper}/{self.row}")
        marks = dict.fromkeys(flatten(changes), source)
        return replace(self, config=config, sources={**self.sources, **marks})

    def as_config(self) -> dict[str, Any]:
        """The nested configuration with the names of paper and row, as a recipe takes it."""
        return {"paper": self.paper, "row": self.row, **copy.deepcopy(self.config)}

    def to_toml(self) -> str:
        """The configuration as a file that `parse` reads back."""
        about = {"title": self.title}
        return to_toml({**about, **self.as_config(), "source": self.sources})


def papers() -> list[str]:
    """Names of the papers that have presets."""
    return sorted(path.parent.name for path in FOLDER.glob("*/defaults.toml"))


def rows(paper: str) -> list[str]:
    """Names of a paper's presets, "default" (the paper's own full model) first."""
    names = sorted(path.stem for path in _folder(paper).glob("*.toml"))
    return [DEFAULT_ROW, *(name for name in names if name not in NOT_ROWS)]


def load(paper: str, row: str = DEFAULT_ROW, settings: Sequence[str] = ()) -> Preset:
    """The preset of a table row, with `key=value` settings applied.

    Raises TrainingError for an unknown paper, row or key, with the name that was probably
    meant, and for a value of another type.
    """
    preset = _load(paper, row)
    return preset.with_settings(settings) if settings else preset


def parse(name: str, settings: Sequence[str] = ()) -> Preset:
    """The preset called PAPER, PAPER/ROW, or written in a TOML file.

    A file holds what `Preset.to_toml` writes, or only the values that differ from a row:
    `paper` and optionally `row` say from which.
    Raises TrainingError as `load` does.
    """
    if name.endswith(".toml"):
        return _from_file(Path(name)).with_settings(settings)
    paper, _, row = name.partition("/")
    return load(paper, row or DEFAULT_ROW, settings)


def _from_file(path: Path) -> Preset:
    content = read_toml(path)
    paper, row = content.pop("paper", None), content.pop("row", DEFAULT_ROW)
    if paper is None:
        raise TrainingError(f"{path}: it names no paper", f'add paper = "{papers()[0]}"')
    base = load(paper, row if row in rows(paper) else DEFAULT_ROW)
    title = content.pop("title", base.title)
    content.setdefault("source", "given")
    given = _sources_of(content, str(path), (*SOURCES, "given", "budget"))
    config = merge(base.config, _values(content), str(path))
    return Preset(base.paper, row, title, config, {**base.sources, **given})


@cache
def _load(paper: str, row: str) -> Preset:
    folder = _folder(paper)
    if row not in rows(paper):
        raise TrainingError(f"{paper} has no row '{row}'", suggestion(row, rows(paper)))
    if row == DEFAULT_ROW:
        return _defaults(paper, folder / "defaults.toml")
    path = folder / f"{row}.toml"
    content = read_toml(path)
    base = _load(paper, content.get("base", DEFAULT_ROW))
    kept = without_tables(base.config, content.get("replace", []), _shown(path))
    values = _values(content)
    config = merge({**kept, **_replaced(values, content)}, values, _shown(path))
    sources = {**base.sources, **_sources_of(content, _shown(path))}
    known = flatten(config)
    return Preset(
        paper,
        row,
        content.get("title", row),
        config,
        {key: source for key, source in sources.items() if key in known},
    )


def without_tables(config: Mapping[str, Any], names: Sequence[str], origin: str) -> dict[str, Any]:
    """`config` less the top-level tables that a row replaces as a whole (another network)."""
    for name in names:
        if name not in config:
            raise TrainingError(f"{origin}: no table '{name}' to replace", suggestion(name, config))
    return {name: table for name, table in config.items() if name not in names}


def _replaced(values: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in content.get("replace", []) if name in values}


def _defaults(paper: str, path: Path) -> Preset:
    content = read_toml(path)
    config = _values(content)
    return Preset(
        paper, DEFAULT_ROW, content.get("title", paper), config, _sources_of(content, _shown(path))
    )


def _values(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in ABOUT}


def _sources_of(
    content: Mapping[str, Any], origin: str, allowed: Sequence[str] = SOURCES
) -> dict[str, str]:
    """Source of each leaf: `source = "paper"` for the whole file, or a table of key prefixes.

    In a table the longest prefix that names a key or one of its tables decides.
    """
    leaves = flatten(_values(content))
    stated = content.get("source", {})
    marks = {"": stated} if isinstance(stated, str) else flatten(stated)
    for prefix, source in marks.items():
        if source not in allowed:
            raise TrainingError(
                f"{origin}: source '{source}' of '{prefix}'", "use " + ", ".join(allowed)
            )
        if prefix and not any(key == prefix or key.startswith(f"{prefix}.") for key in leaves):
            raise TrainingError(
                f"{origin}: the source of '{prefix}' has no value", suggestion(prefix, leaves)
            )
    sources = {}
    for key in leaves:
        parts = key.split(".")
        prefixes = [".".join(parts[:count]) for count in range(len(parts), -1, -1)]
        found = next((marks[prefix] for prefix in prefixes if prefix in marks), None)
        if found is None:
            raise TrainingError(f"{origin}: '{key}' names no source", "add it under [source]")
        sources[key] = found
    return sources


def _folder(paper: str) -> Path:
    if paper not in papers():
        raise TrainingError(f"there is no paper '{paper}'", suggestion(paper, papers()))
    return FOLDER / paper


def _shown(path: Path) -> str:
    return f"presets/{path.parent.name}/{path.name}"
