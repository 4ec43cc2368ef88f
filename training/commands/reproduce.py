"""`nuri-train reproduce`."""

from __future__ import annotations

import argparse
import sys

from training.reproduce import reproduce as reproduce_paper


def reproduce(options: argparse.Namespace) -> int:
    """Train and measure the rows of a paper's tables, then write the page about them."""
    page = reproduce_paper(
        options.paper,
        table=options.table,
        row=options.row,
        data=options.data,
        output=options.output,
        budget=options.budget,
        overrides=options.settings,
        device=options.device,
        say=_say,
    )
    _say(str(page))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
