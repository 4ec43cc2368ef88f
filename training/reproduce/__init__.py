"""`reproduce`: trains and evaluates the rows of a paper's tables and writes the page."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training import presets
from training.errors import TrainingError
from training.files import refused, write_json
from training.presets import Preset
from training.presets.configuration import flatten
from training.report import write_index, write_report
from training.report.content import Report
from training.reproduce.budget import Budget, divide, parse_budget, shortened, weight
from training.reproduce.laboratory import Laboratory, read_json
from training.reproduce.plan import STAGE_STEPS, StageRun, distinct
from training.reproduce.rows import chosen_rows
from training.reproduce.summary import build_report

__all__ = ["Budget", "parse_budget", "reproduce"]

PLAN = "plan.json"
LIMIT_OF_PLAN = 2.0  # a stage may take this many times what was planned before it is stopped
LIMIT_AT_LEAST = 60.0
PAGE_EVERY = 30.0  # seconds between two states of the page

logger = logging.getLogger("nuri.training")
Say = Callable[[str], None]


def reproduce(
    paper: str,
    *,
    table: int | str | None = None,
    row: str | None = None,
    data: Path | None = None,
    output: Path,
    budget: str | None = None,
    overrides: Sequence[str] = (),
    device: str = "auto",
    say: Say | None = None,
) -> Path:
    """Trains and evaluates rows of a paper's tables; returns the path of the HTML page.

    `paper` is a name or "all". `budget` is "smoke", a time such as "20min" or "6h" that is
    divided over the rows, or None for the paper's schedule. Rows that `output` holds already are
    kept, an interrupted one goes on. The page is rewritten as rows are done; a row that fails,
    whatever the reason, is named there and leaves the others alone. `overrides` are `key=value`
    texts for all rows; a length that a row sets itself keeps its proportion to the full model's.

    Raises TrainingError for unknown names, for an `output` made with another budget, data or
    overrides, and, after the page is written, when rows failed.
    """
    allowed = parse_budget(budget)
    told = say or logger.info
    if paper != "all":
        report = _paper(paper, table, row, data, output / paper, allowed, overrides, device, told)
        return _finish([(report, f"{paper}/index.html")], output / paper / "index.html")
    if table is not None or row is not None:
        raise TrainingError("a table or row without its paper", "name one paper")
    names = presets.papers()
    share = Budget(allowed.name, allowed.seconds / len(names))
    reports = []
    for name in names:
        report = _paper(name, None, None, data, output / name, share, overrides, device, told)
        reports.append((report, f"{name}/index.html"))
    return _finish(reports, write_index(reports, output))


def _paper(
    paper: str,
    table: int | str | None,
    row: str | None,
    data: Path | None,
    folder: Path,
    budget: Budget,
    overrides: Sequence[str],
    device: str,
    say: Say,
) -> Report:
    tables = presets.find_tables(paper, None if table is None else str(table), row)
    laboratory = Laboratory(folder, data, device)
    chosen = chosen_rows(paper, tables, budget, overrides)
    plan = _plan(chosen, laboratory, budget, overrides, say)
    chosen = {
        name: shortened(preset, plan["factor"]) if budget.seconds else preset
        for name, preset in chosen.items()
    }
    limits = _limits(chosen, laboratory, plan) if budget.seconds else {}
    failures: dict[str, str] = {}
    written = time.monotonic()
    for number, (name, preset) in enumerate(chosen.items(), 1):
        say(f"{paper} {name}: row {number} of {len(chosen)}")
        try:
            laboratory.row(preset, limits)
        except Exception as error:
            if _debugging(error):
                raise
            failures[name] = _reason(error)
            say(f"{paper} {name}: {failures[name]}")
        if time.monotonic() - written > PAGE_EVERY:
            write_report(build_report(paper, tables, chosen, failures, laboratory, budget), folder)
            written = time.monotonic()
    report = build_report(paper, tables, chosen, failures, laboratory, budget)
    write_report(report, folder)
    return report


def _plan(
    chosen: Mapping[str, Preset],
    laboratory: Laboratory,
    budget: Budget,
    overrides: Sequence[str],
    say: Say,
) -> dict[str, Any]:
    """The plan that the folder holds, or a new one: how far all schedules are cut.

    The first plan stays, so that rows added later are cut as the others were.
    """
    path = laboratory.folder / PLAN
    asked = {
        "budget": budget.name,
        "seconds": budget.seconds,
        "data": str(laboratory.data or ""),
        "overrides": list(overrides),
    }
    plan = read_json(path)
    if plan is not None:
        for key, value in asked.items():
            if plan[key] != value:
                raise TrainingError(
                    f"{laboratory.folder} was made with another {key}: {plan[key]!r}",
                    "name another folder with -o, or remove this one",
                )
        return plan
    started = time.monotonic()
    measured = _measure(chosen, laboratory, say) if budget.seconds else {}
    runs = distinct(laboratory.chain(preset) for preset in chosen.values())
    total = sum(_weight(run) * _step_seconds(run, measured) for run in runs) if measured else 0.0
    plan = {
        **asked,
        "factor": divide(budget, total, time.monotonic() - started),
        "seconds_per_step": measured,
    }
    write_json(path, plan)
    return plan


def _measure(chosen: Mapping[str, Preset], laboratory: Laboratory, say: Say) -> dict[str, float]:
    """Seconds per step of each training, and of each kind of later stage once.

    One that fails is left out, for its row will tell. Raises the last failure where all fail.
    """
    measured: dict[str, float] = {}
    failure: Exception | None = None
    checkpoints: dict[str, Path] = {}
    for run in distinct(laboratory.chain(preset) for preset in chosen.values()):
        key = _cost_key(run)
        if key in measured or (run.after is not None and run.after not in checkpoints):
            continue
        say(f"measuring {run.preset.paper} {run.preset.row}, {run.stage}")
        try:
            measured[key] = laboratory.measure(run, checkpoints)
        except Exception as error:
            if _debugging(error):
                raise
            failure = error
            say(f"{run.preset.paper} {run.preset.row}: {_reason(error)}")
    laboratory.forget_measures()
    if failure is not None and not measured:
        raise failure
    return measured


def _limits(
    chosen: Mapping[str, Preset], laboratory: Laboratory, plan: Mapping[str, Any]
) -> dict[str, float]:
    """Seconds after which a stage is stopped, should it be much slower than measured."""
    limits = {}
    for run in distinct(laboratory.chain(preset) for preset in chosen.values()):
        leaves = flatten(run.preset.config)
        steps = sum(leaves.get(key, 0) for key in STAGE_STEPS[run.stage])
        planned = steps * _step_seconds(run, plan["seconds_per_step"])
        limits[run.key] = max(LIMIT_AT_LEAST, LIMIT_OF_PLAN * planned)
    return limits


def _debugging(error: Exception) -> bool:
    return bool(os.environ.get("NURI_DEBUG")) and not isinstance(error, TrainingError)


def _reason(error: Exception) -> str:
    """Why a row failed, in one line."""
    if isinstance(error, TrainingError):
        return str(error)
    if isinstance(error, OSError):
        return str(refused(error))
    return " ".join(f"internal error: {error!r} (run again with NURI_DEBUG=1)".split())


def _weight(run: StageRun) -> float:
    return sum(weight(key, run.preset) for key in STAGE_STEPS[run.stage])


def _cost_key(run: StageRun) -> str:
    return run.preset.row if run.stage == "main" else run.stage


def _step_seconds(run: StageRun, measured: Mapping[str, float]) -> float:
    """Seconds per step; a training added after measuring counts as the slowest one."""
    return measured.get(_cost_key(run), max(measured.values()))


def _finish(reports: Sequence[tuple[Report, str]], page: Path) -> Path:
    failed = [
        f"{report.paper}/{row.preset}: {row.failure}"
        for report, _ in reports
        for table in report.tables
        for row in table.rows
        if row.failure
    ]
    if failed:
        noun = "row" if len(failed) == 1 else "rows"
        raise TrainingError(
            f"{len(failed)} {noun} failed, the first is {failed[0]}", f"see {page}, then run again"
        )
    return page
