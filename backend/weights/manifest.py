"""The list of weights: manifest.toml of a folder, read and written."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "manifest.toml"
LARGEST = 16 * 2**20  # bytes of one file that travels with the program


@dataclass(frozen=True)
class Entry:
    """One weights file. ``file``: its name in the folder. ``network``: a name of architectures.

    ``command``: what trained it, a line for each run, remarks after "# ". ``bytes`` and ``sha256``
    are the file's. ``figures``: what was measured on held-out pictures.
    """

    id: str
    file: str
    network: str
    sha256: str
    bytes: int
    licence: str
    data: tuple[str, ...]
    command: str
    figures: dict[str, float]


def read(folder: Path) -> dict[str, Entry]:
    """The entries of a folder by id; none where it has no manifest.

    ``ValueError`` names the manifest and what in it is wrong.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return {name: _entry(path, name, table) for name, table in tables.items()}


def _entry(path: Path, name: str, table: Any) -> Entry:
    wanted = {field.name for field in fields(Entry)} - {"id"}
    if not isinstance(table, dict) or set(table) != wanted:
        raise ValueError(f"{path}: [{name}] has to have exactly {', '.join(sorted(wanted))}")
    if Path(table["file"]).name != table["file"]:
        raise ValueError(f"{path}: [{name}] names a file outside of its folder")
    return Entry(**{**table, "id": name, "data": tuple(table["data"])})


def text_of(entry: Entry) -> str:
    """The entry as a table of TOML."""
    figures = ", ".join(f"{_key(name)} = {value!r}" for name, value in entry.figures.items())
    lines = [f"[{_key(entry.id)}]"]
    for name in ("file", "network", "sha256", "licence", "command"):
        lines.append(f"{name} = {_text(getattr(entry, name))}")
    lines.append(f"bytes = {entry.bytes}")
    lines.append(f"data = [{', '.join(map(_text, entry.data))}]")
    lines.append(f"figures = {{ {figures} }}" if figures else "figures = {}")
    return "\n".join(lines) + "\n"


def with_entry(folder: Path, entry: Entry) -> str:
    """The folder's manifest with the entry added or in place of the one of its id.

    What is written above the first table stays. ``ValueError`` as for `read`.
    """
    entries = {**read(folder), entry.id: entry}
    path = folder / NAME
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    head = before.split("\n[")[0] if not before.startswith("[") else ""
    parts = [head.strip() + "\n"] if head.strip() else []
    return "\n".join([*parts, *(text_of(entries[name]) for name in sorted(entries))])


def _text(value: str) -> str:
    # JSON's escapes are among those of TOML's basic strings
    lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in value.split("\n")]
    if len(lines) == 1:
        return f'"{lines[0]}"'
    return "\n".join(['"""', *lines]) + '"""'


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else _text(name)
