"""`nuri colorize`: one drawing."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from backend.imaging import disk, io
from backend.models.registry import CHOOSERS

from . import DONE
from .interrupt import Interrupt
from .parser import UsageError
from .report import ProgressReport, print_json, result_line, warn
from .request import (
    check_choices,
    check_ending,
    check_has_layers,
    check_layers,
    inputs_of,
    job_options,
    keep_output_clean,
    palette_of,
    png_of,
    task_of,
)
from .session import Work, open_pool


def run(options: argparse.Namespace) -> int:
    """Colour one drawing and write all files of it or none. Raises NuriError and UsageError."""
    started = time.monotonic()
    check_choices(options)
    _check_files(options)
    keep_output_clean(options, options.output, options.regions, options.palette)
    inputs = inputs_of(options, options.line, options.hints)
    check_has_layers("--line-layer", options.line_layer, inputs[0])
    check_has_layers("--hint-layer", options.hint_layer, inputs[1 if options.hints else 0])
    for path in (options.output, options.regions, options.palette):
        if path is not None:
            disk.check_writable(path)
    wanted = ["picture", *(["regions"] if options.regions else [])]
    silent = options.quiet or options.json
    interrupt = Interrupt()
    with open_pool(interrupt, no_daemon=options.no_daemon) as pool, interrupt:
        with ProgressReport(options.line.name, silent=silent) as report:
            pool.submit(Work(None, task_of(options), inputs, job_options(options, wanted), report))
            done = pool.next_done()
        if done.error:
            raise done.error
        files = {options.output: png_of(done.outputs["picture"])}
        if options.regions:
            files[options.regions] = png_of(done.outputs["regions"])
        if options.palette:
            files[options.palette] = palette_of(done.info)
        _write_all(files)
    _tell(options, done.info, time.monotonic() - started)
    return DONE


def _check_files(options: argparse.Namespace) -> None:
    bare = options.hints is None and not options.reference and options.model not in CHOOSERS
    if bare and not io.is_layered(options.line):
        raise UsageError(
            f"there are no hints for {options.line} (add --hints PNG or --reference PNG, use a "
            f".kra or .ora file with a layer named 'Hints', or let --model {CHOOSERS[0]} choose)"
        )
    if options.hints is None:
        check_layers(options)
    read = {disk.resolved(path) for path in (options.line, *(options.reference or ()))}
    read.add(options.hints and disk.resolved(options.hints))
    pictures = [path for path in (options.output, options.regions) if path is not None]
    written = [*pictures, *([options.palette] if options.palette else [])]
    for path in pictures:
        check_ending(path)
    if len({disk.resolved(path) for path in written}) < len(written):
        raise UsageError("two of the files to write have one name (give each its own)")
    for path in written:
        if disk.resolved(path) in read:
            raise UsageError(f"{path} would be written over (choose another name for the output)")


def _write_all(files: dict[Path, bytes | memoryview]) -> None:
    """Write all files or, where one cannot be written, none. Raises NuriError.

    Devices and pipes get theirs when the others lie ready to take their names.
    """
    devices = [path for path in files if path.exists() and not path.is_file()]
    with ExitStack() as renamed:
        for path, data in files.items():
            if path not in devices:
                renamed.enter_context(disk.replacing(path)).write_bytes(data)
        for path in devices:
            disk.write_atomic(path, files[path])


def _tell(options: argparse.Namespace, info: dict[str, Any], seconds: float) -> None:
    facts = {
        "input": str(options.line),
        "output": str(options.output),
        "task": task_of(options),
        **info,
        "seconds": round(seconds, 3),
    }
    for message in info["warnings"]:
        warn(f"{options.line}: {message}")
    if options.json:
        print_json(facts)
    elif not options.quiet:
        print(result_line(facts))
