"""Nested configurations: dotted keys, merging, settings typed by the value they replace."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.errors import TrainingError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file. Raises TrainingError naming the file when it cannot be read."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(
            f"{path}: {error.strerror or error}", "name a file that can be read"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not a TOML file: {error}", "correct the file") from error
    return content


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted key -> value for every leaf: {"loss": {"pixel": 30}} -> {"loss.pixel": 30}."""
    leaves: dict[str, Any] = {}
    for name, value in config.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            leaves.update(flatten(value, f"{key}."))
        else:
            leaves[key] = value
    return leaves


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables of dotted keys; the inverse of `flatten`."""
    config: dict[str, Any] = {}
    for key, value in leaves.items():
        *tables, name = key.split(".")
        table = config
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = value
    return config


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """The action of an error message: which known name was probably meant."""
    names = sorted(set(known))
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if not close:
        last = wrong.rsplit(".", 1)[-1]
        by_last = {name.rsplit(".", 1)[-1]: name for name in names}
        close = [by_last[name] for name in difflib.get_close_matches(last, by_last, 1, 0.75)]
    if close:
        return f"did you mean '{close[0]}'?"
    first = wrong.split(".", 1)[0]
    same_table = [name for name in names if name.startswith(f"{first}.")]
    return "use one of: " + ", ".join((same_table or names)[:24])


def kind(value: Any) -> str:
    """What a person calls the type of a configuration value."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list"


def conform(key: str, value: Any, present: Any, origin: str) -> Any:
    """`value` as the type of the `present` value. Raises TrainingError where it does not fit."""
    if isinstance(present, bool) or isinstance(value, bool):
        fits = isinstance(present, bool) and isinstance(value, bool)
    elif isinstance(present, float):
        fits = isinstance(value, (int, float))
        value = float(value) if fits else value
    elif isinstance(present, list):
        fits = isinstance(value, list)
        if fits and present:
            value = [conform(key, item, present[0], origin) for item in value]
    else:
        fits = type(value) is type(present)
    if not fits:
        raise TrainingError(
            f"{origin}: {key} = {value!r} does not fit", f"give {kind(present)} like {present!r}"
        )
    return value


def merge(config: Mapping[str, Any], changes: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """`config` with the leaves of the nested or dotted `changes` replaced.

    Every changed key has to exist in `config` and to keep its type.
    Raises TrainingError that names `origin`, the key and what was probably meant.
    """
    leaves = flatten(config)
    for key, value in flatten(changes).items():
        if key not in leaves:
            raise TrainingError(f"{origin}: there is no setting '{key}'", suggestion(key, leaves))
        leaves[key] = conform(key, value, leaves[key], origin)
    return unflatten(leaves)


def parse_value(key: str, text: str, present: Any) -> Any:
    """A text typed by the value it is to replace. Raises TrainingError where it does not fit."""
    origin = f"--set {key}={text}"
    wanted = f"give {kind(present)} like {present!r}"
    text = text.strip()
    if isinstance(present, list):
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        items = [item.strip().strip("\"'") for item in inner.split(",") if item.strip()]
        if not present:
            return items
        return [parse_value(key, item, present[0]) for item in items]
    if isinstance(present, bool):
        if text.lower() not in TRUE | FALSE:
            raise TrainingError(f"{origin} does not fit", wanted)
        return text.lower() in TRUE
    if isinstance(present, (int, float)):
        try:
            return type(present)(text.replace("_", ""))
        except ValueError as error:
            raise TrainingError(f"{origin} does not fit", wanted) from error
    return text.strip("\"'")


def apply_settings(
    config: Mapping[str, Any], settings: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """`config` with `key=value` texts applied, and the keys that were set.

    A value gets the type of the value that it replaces.
    Raises TrainingError for a text without '=', an unknown key (with a suggestion), a whole
    table, or a value of another type.
    """
    leaves = flatten(config)
    changed = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals:
            raise TrainingError(
                f"--set {setting}: no value", "write key=value, for example loss.pixel=30"
            )
        if key not in leaves:
            inside = [name for name in leaves if name.startswith(f"{key}.")]
            if inside:
                action = "set one of its values: " + ", ".join(inside[:12])
                raise TrainingError(f"--set {setting}: '{key}' is a table", action)
            raise TrainingError(
                f"--set {setting}: there is no setting '{key}'", suggestion(key, leaves)
            )
        leaves[key] = parse_value(key, text, leaves[key])
        changed.append(key)
    return unflatten(leaves), changed


def to_toml(config: Mapping[str, Any]) -> str:
    """The configuration as TOML text, one table per group, values as they are."""
    lines: list[str] = []
    _write_table(config, "", lines)
    return "\n".join(lines).strip() + "\n"


def _write_table(table: Mapping[str, Any], name: str, lines: list[str]) -> None:
    leaves = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if name and leaves:
        lines += ["", f"[{name}]"]
    lines += [f"{_key(key)} = {_literal(value)}" for key, value in leaves.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            _write_table(value, f"{name}.{_key(key)}" if name else _key(key), lines)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _literal(key)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
