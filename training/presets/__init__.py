"""Presets: every row of every table of the five papers as a configuration, and the tables."""

from __future__ import annotations

from training.presets.configuration import (
    apply_settings,
    flatten,
    merge,
    to_toml,
    unflatten,
)
from training.presets.loader import DEFAULT_ROW, Preset, load, papers, parse, rows
from training.presets.tables import Metric, Row, Table, find_tables, tables

__all__ = [
    "DEFAULT_ROW",
    "Metric",
    "Preset",
    "Row",
    "Table",
    "apply_settings",
    "find_tables",
    "flatten",
    "load",
    "merge",
    "papers",
    "parse",
    "rows",
    "tables",
    "to_toml",
    "unflatten",
]
