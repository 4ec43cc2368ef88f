"""What a report says, free of how it looks. Everything here becomes `report.json` as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A value of a configuration and where it comes from: paper, release, ours, given, budget."""

    key: str
    value: Any
    source: str


@dataclass(frozen=True)
class TrainingReport:
    """One training; several rows may share it.

    `stages` are steps done per stage, `planned_stages` those that the budget left,
    `full_stages` those of the paper's schedule; `curves` map
    a logged name such as "g/pixel" to (step, value) points; `degraded` are the terms that could
    not be computed as the paper has them, in plain words.
    """

    run: str
    data: str
    items: int
    stages: Mapping[str, int]
    planned_stages: Mapping[str, int]
    full_stages: Mapping[str, int]
    seconds: float
    batch: int
    size: int
    precision: str
    parameters: int
    device: str
    degraded: tuple[str, ...] = ()
    curves: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RowReport:
    """A row of a table: printed values and ours.

    `unavailable` explains a metric that could not be computed; `stand_ins` names, for such a
    metric, what `ours` holds in its place, where there is something. `evaluated` counts the
    pictures that were measured. `pictures` are paths of picture files relative to the report,
    `captions` what each shows. `pretrained` are networks of others that training and measuring
    used, with digests. `spread` are curves of how often colours come, by the names of
    `ChromaHistograms.curves`. A quoted row has no `training`.
    """

    name: str
    label: str
    preset: str
    paper: Mapping[str, float]
    ours: Mapping[str, float] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    ranked: bool = True
    settings: tuple[Setting, ...] = ()
    training: TrainingReport | None = None
    evaluated: int = 0
    pictures: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    pretrained: tuple[str, ...] = ()
    failure: str = ""
    spread: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricReport:
    """A column: `better` is "high" or "low", `digits` the decimals to print."""

    key: str
    label: str
    better: str
    digits: int = 2


@dataclass(frozen=True)
class TableReport:
    """A table of the paper with our figures."""

    number: str
    title: str
    protocol: str
    metrics: tuple[MetricReport, ...]
    rows: tuple[RowReport, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The reproduction of one paper. `budget` is a sentence on how far the schedule was cut."""

    paper: str
    title: str
    budget: str
    data: str
    tables: tuple[TableReport, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
