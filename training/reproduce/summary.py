"""Puts the facts of rows and stages together into a report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from training.presets.configuration import flatten
from training.presets.loader import Preset, load
from training.presets.tables import Row, Table
from training.report.content import (
    MetricReport,
    Report,
    RowReport,
    Setting,
    TableReport,
    TrainingReport,
)
from training.reproduce.budget import Budget
from training.reproduce.laboratory import Laboratory
from training.reproduce.plan import STAGE_STEPS, StageRun
from training.reproduce.rows import overwritten

UNSAID = ("data.workers", "train.log_every", "train.checkpoint_every", "train.sample_every")


def build_report(
    paper: str,
    tables: Sequence[Table],
    presets: Mapping[str, Preset],
    failures: Mapping[str, str],
    laboratory: Laboratory,
    budget: Budget,
) -> Report:
    """The report of what is done so far. `failures` maps presets to why they have no figures."""
    reports = [
        TableReport(
            table.number,
            table.title,
            table.protocol,
            tuple(MetricReport(m.key, m.label, m.better, m.digits) for m in table.metrics),
            tuple(_row(table, row, presets, failures, laboratory) for row in table.rows),
            table.notes,
        )
        for table in tables
    ]
    names = dict.fromkeys(
        row.training.data for table in reports for row in table.rows if row.training
    )
    drawings = "procedural drawings" if laboratory.data is None else str(laboratory.data.name)
    return Report(
        paper,
        load(paper).title,
        budget.sentence(),
        ", ".join(names) or drawings,
        tuple(reports),
        _versions(),
    )


def _row(
    table: Table,
    row: Row,
    presets: Mapping[str, Preset],
    failures: Mapping[str, str],
    laboratory: Laboratory,
) -> RowReport:
    preset = presets.get(row.preset)
    facts = laboratory.done(preset) if preset is not None else None
    if preset is None or facts is None:
        failure = failures.get(row.preset, "")
        return RowReport(
            row.name,
            row.label,
            row.preset,
            row.values,
            note=row.note,
            ranked=row.ranked,
            failure=failure,
        )
    ours, stand_ins, unavailable = _figures(table, facts)
    replaced = [f"its own {value} was replaced by --set" for value in overwritten(preset)]
    return RowReport(
        row.name,
        row.label,
        row.preset,
        row.values,
        ours,
        stand_ins,
        unavailable,
        "; ".join(part for part in (row.note, *replaced) if part),
        row.ranked,
        _settings(preset),
        _training(preset, laboratory, facts),
        facts["count"],
        tuple(facts["pictures"]),
        tuple(facts.get("captions", ())),  # a row of before there were captions has none
        _pretrained(preset, laboratory, facts),
        spread=facts.get("spread", {}),  # a row of before there were curves has none
    )


def _figures(
    table: Table, facts: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, str], dict[str, str]]:
    """Our figures of a row, with a stand-in where a metric cannot be computed here."""
    ours: dict[str, float] = {}
    stand_ins: dict[str, str] = {}
    unavailable: dict[str, str] = {}
    measured = facts["metrics"]
    for metric in table.metrics:
        names = (metric.key, *metric.stand_ins)
        found = next((name for name in names if measured.get(name) is not None), None)
        if found != metric.key and (reason := facts["unavailable"].get(metric.key, "")):
            unavailable[metric.key] = reason
        if found is None:
            unavailable.setdefault(metric.key, "not measured")
            continue
        ours[metric.key] = measured[found]
        if found != metric.key:
            stand_ins[metric.key] = found
    return ours, stand_ins, unavailable


def _settings(preset: Preset) -> tuple[Setting, ...]:
    usual = flatten(load(preset.paper).config)
    return tuple(
        Setting(key, value, preset.sources[key])
        for key, value in flatten(preset.config).items()
        if key not in UNSAID and (key not in usual or usual[key] != value)
    )


def _training(
    preset: Preset, laboratory: Laboratory, facts: Mapping[str, Any]
) -> TrainingReport | None:
    chain = laboratory.chain(preset)
    stages = [(run, laboratory.stage(run)) for run in chain]
    known = [(run, stage) for run, stage in stages if stage is not None]
    if not known:
        return None
    full = flatten(load(preset.paper, preset.row).config)
    last = known[-1][1]
    degraded = [line for _, stage in known for line in (*stage["degraded"], *_left_out(stage))]
    degraded += facts["degraded"]
    limited = [
        f"stage {run.stage} stopped by the time limit"
        for run, stage in known
        if stage["stopped"] == "time"
    ]
    train, data = preset.config["train"], preset.config["data"]
    return TrainingReport(
        run=known[-1][0].key,
        data=_without_place(last["data"]["name"], laboratory),
        items=last["items"],
        stages={run.stage: stage["steps"] for run, stage in known},
        planned_stages={run.stage: stage["run"]["steps"] for run, stage in known},
        full_stages={
            run.stage: sum(full.get(key, 0) for key in STAGE_STEPS[run.stage]) for run, _ in known
        },
        seconds=sum(stage["seconds"] for _, stage in known),
        batch=train["batch"],
        size=data["size"],
        precision=train["precision"],
        parameters=_parameters(last["run"]),
        device=last["run"]["device"],
        degraded=tuple(dict.fromkeys([*degraded, *limited])),
        curves=_curves(known),
    )


def _pretrained(
    preset: Preset, laboratory: Laboratory, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Networks of others that the row's training and measuring used, each once."""
    stages = (laboratory.stage(run) for run in laboratory.chain(preset))
    runs = [*(stage["run"] for stage in stages if stage), facts]
    return tuple(dict.fromkeys(line for run in runs for line in run.get("pretrained", ())))


def _left_out(stage: Mapping[str, Any]) -> list[str]:
    """How many samples a stage could not use; run.json names them."""
    count = len(stage["run"].get("left_out", ()))
    return [f"data={count} left out: samples that cannot be used"] if count else []


def _without_place(name: str, laboratory: Laboratory) -> str:
    """The data's name as the page has it, without its folder, which is nobody else's business."""
    if laboratory.data is None:
        return name.replace("generated ", "pictures that Nuri draws itself: ")
    place = str(laboratory.data)
    return name.replace(f" ({place})", "").replace(place, laboratory.data.name)


def _curves(
    known: Sequence[tuple[StageRun, Mapping[str, Any]]],
) -> dict[str, tuple[tuple[int, float], ...]]:
    curves = {}
    for run, stage in known:
        prefix = "" if run.stage == "main" else f"{run.stage}."
        for name, points in stage["curves"].items():
            curves[prefix + name] = tuple((int(step), float(value)) for step, value in points)
    return curves


def _parameters(run: Mapping[str, Any]) -> int:
    """Parameters of the networks that make the picture, critics left out."""
    counts: Mapping[str, int] = run["parameters"]
    return sum(count for name, count in counts.items() if "critic" not in name)


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in ("nuri", "torch", "lightning-fabric", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
