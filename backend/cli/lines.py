"""`nuri lines`: line art of a finished picture."""

from __future__ import annotations

import argparse

from .picture import convert


def run(options: argparse.Namespace) -> int:
    """Extract the lines of one picture. Raises NuriError and UsageError."""
    return convert(options, "lines", "lines", {"method": options.method})
