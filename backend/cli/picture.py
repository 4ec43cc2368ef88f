"""Commands that make one picture of another: `nuri grey` and `nuri lines`."""

from __future__ import annotations

import argparse
import time
from typing import Any

from backend.imaging import disk
from protocol.errors import one_line
from protocol.pixels import EncodedImage

from . import DONE
from .interrupt import Interrupt
from .parser import UsageError
from .report import ProgressReport, print_json
from .request import check_ending, check_has_layers, keep_output_clean, png_of
from .session import Work, open_pool


def convert(options: argparse.Namespace, task: str, output: str, wanted: dict[str, Any]) -> int:
    """Run ``task`` on one picture; OUT is written whole or not at all.

    ``output``: the plane of the result. ``wanted``: options of the task beside layer and encode.
    Raises NuriError and UsageError.
    """
    started = time.monotonic()
    check_ending(options.output)
    keep_output_clean(options, options.output)
    if disk.resolved(options.output) == disk.resolved(options.image):
        raise UsageError(
            f"{options.output} would be written over (choose another name for the output)"
        )
    picture = EncodedImage("picture", str(options.image), disk.read_file(options.image))
    check_has_layers("--layer", options.layer, picture)
    disk.check_writable(options.output)
    wanted = {**wanted, "layer": options.layer, "encode": "png"}
    interrupt = Interrupt()
    silent = options.quiet or options.json
    with open_pool(interrupt, no_daemon=options.no_daemon) as pool, interrupt:
        with ProgressReport(options.image.name, silent=silent) as report:
            pool.submit(Work(None, task, [picture], wanted, report))
            done = pool.next_done()
        if done.error:
            raise done.error
        disk.write_atomic(options.output, png_of(done.outputs[output]))
    seconds = round(time.monotonic() - started, 3)
    size = {"width": done.info["width"], "height": done.info["height"]}
    if options.json:
        files = {"input": str(options.image), "output": str(options.output)}
        print_json({**files, "task": task, **size, "seconds": seconds})
    elif not options.quiet:
        name = one_line(str(options.output))
        print(f"{name}: {size['width']} x {size['height']}, {seconds:.2f} s")
    return DONE
