"""`nuri grey`: colour for a grey painting."""

from __future__ import annotations

import argparse

from .picture import convert


def run(options: argparse.Namespace) -> int:
    """Colour one grey painting, keeping its lightness. Raises NuriError and UsageError."""
    return convert(options, "greyscale", "picture", {"model": options.model})
