"""The papers' tables: printed figures, which rows can be trained here, which are only quoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from training.errors import TrainingError
from training.presets.configuration import read_toml, suggestion
from training.presets.loader import FOLDER, papers, rows


@dataclass(frozen=True)
class Metric:
    """A column: `key` in the evaluation's result, and in which direction it improves.

    `stand_ins` are keys to show instead where the metric cannot be computed offline.
    """

    key: str
    label: str
    better: str
    digits: int = 2
    stand_ins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row as printed. `preset` is empty where the system of other authors is only quoted.

    `ranked` is false where the printed figures are known to be wrong or absent.
    """

    name: str
    label: str
    preset: str
    values: Mapping[str, float]
    note: str = ""
    ranked: bool = True


@dataclass(frozen=True)
class Table:
    """One table of a paper."""

    paper: str
    number: str
    title: str
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    protocol: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def reproducible(self) -> tuple[Row, ...]:
        """The rows that have a preset."""
        return tuple(row for row in self.rows if row.preset)


@cache
def tables(paper: str) -> tuple[Table, ...]:
    """The tables of a paper in printed order. Raises TrainingError for a faulty tables file."""
    if paper not in papers():
        raise TrainingError(f"there is no paper '{paper}'", suggestion(paper, papers()))
    origin = f"presets/{paper}/tables.toml"
    content = read_toml(FOLDER / paper / "tables.toml")
    return tuple(_table(paper, entry, origin) for entry in content["table"])


def find_tables(paper: str, number: str | None = None, row: str | None = None) -> list[Table]:
    """The tables to reproduce, cut to one row where `row` names one (by row or preset name).

    Raises TrainingError for no such table or row, and for a row that is only quoted.
    """
    found = list(tables(paper))
    if number is not None:
        numbers = [table.number for table in found]
        if number not in numbers:
            raise TrainingError(f"{paper} has no table {number}", "it has " + ", ".join(numbers))
        found = [table for table in found if table.number == number]
    if row is None:
        return found
    named = [
        (table, entry)
        for table in found
        for entry in table.rows
        if row in (entry.name, entry.preset)
    ]
    if not named:
        known = [entry.name for table in found for entry in table.rows if entry.preset]
        raise TrainingError(f"{paper} has no row '{row}'", suggestion(row, known))
    if not any(entry.preset for _, entry in named):
        raise TrainingError(
            f"'{row}' is other authors' system, which the paper only quotes",
            "name a row that can be trained: "
            + ", ".join(e.name for t in found for e in t.reproducible),
        )
    return [
        Table(
            table.paper,
            table.number,
            table.title,
            table.metrics,
            tuple(entry for owner, entry in named if owner is table and entry.preset),
            table.protocol,
            table.notes,
        )
        for table in found
        if any(owner is table and entry.preset for owner, entry in named)
    ]


def _table(paper: str, entry: Mapping[str, Any], origin: str) -> Table:
    metrics = tuple(
        Metric(
            key,
            about["label"],
            about["better"],
            about.get("digits", 2),
            tuple(about.get("stand_ins", ())),
        )
        for key, about in entry["metrics"].items()
    )
    for metric in metrics:
        if metric.better not in ("high", "low"):
            raise TrainingError(f"{origin}: {metric.key}.better", "use high or low")
    table_rows = tuple(_row(paper, row, metrics, origin) for row in entry["row"])
    return Table(
        paper,
        str(entry["number"]),
        entry["title"],
        metrics,
        table_rows,
        entry.get("protocol", ""),
        tuple(entry.get("notes", ())),
    )


def _row(paper: str, row: Mapping[str, Any], metrics: tuple[Metric, ...], origin: str) -> Row:
    values = row.get("values", {})
    known = [metric.key for metric in metrics]
    for key in values:
        if key not in known:
            raise TrainingError(f"{origin}: row {row['name']}: '{key}'", suggestion(key, known))
    preset = row.get("preset", "")
    if preset and preset not in rows(paper):
        raise TrainingError(
            f"{origin}: row {row['name']}: no preset '{preset}'", suggestion(preset, rows(paper))
        )
    numbers = {key: float(value) for key, value in values.items()}
    return Row(
        row["name"],
        row["label"],
        preset,
        numbers,
        row.get("note", ""),
        bool(numbers) and row.get("ranked", True),
    )
