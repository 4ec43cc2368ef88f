"""`nuri batch`: a folder of drawings, several under way at once, resumed where it was left."""

from __future__ import annotations

import argparse
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.imaging import disk
from backend.models.registry import CHOOSERS
from protocol.errors import ErrorCode, NuriError, one_line

from . import DONE, FAILED
from .batch_made import Made
from .batch_plan import Drawing, check_layered, check_spared, make_plan
from .interrupt import Interrupt
from .parser import UsageError
from .report import ProgressReport, print_json, result_line, warn
from .request import (
    check_choices,
    check_layers,
    check_references,
    inputs_of,
    job_options,
    png_of,
    task_of,
)
from .session import Done, Pool, Work, open_pool

# A daemon that is lost under a drawing is started again, but not for the same drawing for ever.
_ATTEMPTS = 3


@dataclass
class _Count:
    done: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass
class _Batch:
    """One run: what is left to do, what is under way, and what came of it."""

    options: argparse.Namespace
    report: ProgressReport
    made: Made
    total: int
    count: _Count = field(default_factory=_Count)
    left: deque[Drawing] = field(default_factory=deque)
    started: dict[Path, float] = field(default_factory=dict)
    fractions: dict[Path, float] = field(default_factory=dict)

    @property
    def so_far(self) -> int:
        """Drawings that need nothing more."""
        return self.count.done + self.count.skipped + self.count.failed

    def failed(self, line: Path, error: NuriError) -> None:
        self.count.failed += 1
        if self.options.json:
            print_json({"input": str(line), "state": "failed", "error": error.info.as_facts()})
        name, reason = one_line(str(line)), str(error)
        self.report.complain(reason if name in reason else f"{name}: {reason}")

    def skipped(self, drawing: Drawing) -> None:
        self.count.skipped += 1
        if self.options.json:
            facts = {"input": str(drawing.line), "output": str(drawing.output), "state": "skipped"}
            print_json(facts)

    def done(self, drawing: Drawing, info: dict[str, Any]) -> None:
        self.count.done += 1
        self.made.note(drawing)
        facts = {
            "input": str(drawing.line),
            "output": str(drawing.output),
            "state": "done",
            "task": task_of(self.options),
            # The lists of regions are long; `nuri colorize --json` has them for one drawing.
            **{name: fact for name, fact in info.items() if name not in ("palette", "gaps")},
            "seconds": round(time.monotonic() - self.started.pop(drawing.line), 3),
        }
        for message in info["warnings"]:
            warn(f"{drawing.line}: {message}")
        if self.options.json:
            print_json(facts)
        elif not self.options.quiet:
            self.report.say(f"{self.so_far}/{self.total} {result_line(facts)}")

    def under_way(self, drawing: Drawing, fraction: float) -> None:
        """One of the drawings got so far."""
        self.fractions[drawing.line] = fraction
        share = (self.so_far + sum(self.fractions.values())) / self.total
        self.report(share, f"{self.so_far} of {self.total}")


def run(options: argparse.Namespace) -> int:
    """Colour a folder; 1 when a drawing failed. Raises NuriError and UsageError."""
    check_choices(options)
    check_layers(options)
    if disk.resolved(options.output) == disk.resolved(options.folder):
        raise UsageError("the results would lie among the drawings (choose another folder for -o)")
    if options.hints and disk.resolved(options.output) == disk.resolved(options.hints):
        raise UsageError("the results would lie among the hints (choose another folder for -o)")
    plan = make_plan(
        options.folder,
        options.output,
        recursive=options.recursive,
        hints=options.hints,
        bare=bool(options.reference) or options.model in CHOOSERS,
    )
    check_references(options)
    check_spared(plan, options.reference or ())
    check_layered(plan, options.line_layer, options.hint_layer)
    disk.make_folder(options.output)
    disk.check_writable(options.output / "any.png")
    total = len(plan.drawings) + len(plan.problems)
    silent = options.quiet or options.json
    with ProgressReport(options.folder.name, silent=silent, lines=False) as report:
        batch = _Batch(options, report, Made(options), total)
        for line, error in plan.problems:
            batch.failed(line, error)
        for drawing in plan.drawings:
            if batch.made.is_done(drawing):
                batch.skipped(drawing)
            else:
                batch.left.append(drawing)
        try:
            batch.made.save()
            if batch.left:
                _colour_all(batch)
        finally:
            _summary(batch)
            batch.made.close()
    return FAILED if batch.count.failed else DONE


def _colour_all(batch: _Batch) -> None:
    options, interrupt = batch.options, Interrupt()
    under_way = 0
    pool = open_pool(interrupt, no_daemon=options.no_daemon, lane="batch", attempts=_ATTEMPTS)
    with pool, interrupt:
        while batch.left or under_way:
            while batch.left and under_way < options.jobs and not interrupt.requested:
                under_way += _begin(batch, pool, batch.left.popleft())
            if under_way:
                _finish(batch, pool.next_done())
                under_way -= 1
            elif interrupt.requested:
                raise KeyboardInterrupt


def _begin(batch: _Batch, pool: Pool, drawing: Drawing) -> bool:
    """Hand in one drawing; False when its files cannot even be read."""
    batch.started[drawing.line] = time.monotonic()
    try:
        inputs = inputs_of(batch.options, drawing.line, drawing.hints)
    except NuriError as error:
        batch.failed(drawing.line, error)
        return False
    options = job_options(batch.options, ["picture"])

    def progress(fraction: float, stage: str) -> None:
        batch.under_way(drawing, fraction)

    pool.submit(Work(drawing, task_of(batch.options), inputs, options, progress))
    return True


def _finish(batch: _Batch, done: Done) -> None:
    drawing: Drawing = done.key
    batch.fractions.pop(drawing.line, None)
    if done.error:
        batch.failed(drawing.line, done.error)
        return
    try:
        disk.make_folder(drawing.output.parent)
        disk.write_atomic(drawing.output, png_of(done.outputs["picture"]))
    except NuriError as error:
        batch.failed(drawing.line, error)
        if error.code is ErrorCode.disk_full:  # the next ones would fare no better
            raise
        return
    batch.done(drawing, done.info)


def _summary(batch: _Batch) -> None:
    count = batch.count
    left = batch.total - batch.so_far
    if batch.options.json:
        summary = {"done": count.done, "skipped": count.skipped, "failed": count.failed}
        print_json({"summary": {**summary, "left": left}})
        return
    text = f"{count.done} coloured, {count.skipped} done before, {count.failed} failed"
    if left:
        text += f", {left} left (run the command again to go on)"
    if not batch.options.quiet:
        batch.report.say(text)
