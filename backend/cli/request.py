"""From command-line options to a job: the checks and choices that colorize and batch share."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from backend.imaging import io
from backend.models.registry import ids_for
from protocol.pixels import EncodedImage, PixelBuffer, Plane

from .parser import UsageError


def check_choices(options: argparse.Namespace) -> None:
    """Refuse what no installed model can do. Raises UsageError."""
    colouring = ids_for("flats")
    available = "available: " + ", ".join(colouring)
    if options.model is not None and options.model not in colouring:
        raise UsageError(f"there is no model {options.model!r} ({available})")
    if options.reference:
        raise UsageError(f"--reference needs a model that is not installed ({available})")
    if options.size is not None:
        raise UsageError("--size is for models; flats always work at full size (leave it out)")
    if options.device not in (None, "auto", "cpu"):
        raise UsageError(f"flats run on the CPU, not on {options.device!r} (leave --device out)")


def job_options(options: argparse.Namespace, outputs: list[str]) -> dict[str, Any]:
    """The options of the task "flats"."""
    return {
        "outputs": outputs,
        "encode": "png",
        "lines": not options.no_lines,
        "fill_unhinted": options.fill_unhinted,
        "line_layer": options.line_layer,
        "hint_layer": options.hint_layer,
    }


def inputs_of(line: Path, hints: Path | None) -> list[Plane]:
    """The files of one drawing, as they are. Raises NuriError."""
    planes: list[Plane] = [EncodedImage("line", str(line), io.read_file(line))]
    if hints is not None:
        planes.append(EncodedImage("hints", str(hints), io.read_file(hints)))
    return planes


def png_of(plane: Plane) -> bytes | memoryview:
    """The file that a job was asked to encode."""
    if isinstance(plane, PixelBuffer):
        raise TypeError(f"{plane.name} came without its encoding")
    return plane.data


def write_palette(path: Path, info: dict[str, Any]) -> None:
    """The colours and their regions as JSON. Raises NuriError."""
    text = json.dumps({"palette": info["palette"], "regions": info["regions"]}, indent=1)
    io.write_atomic(path, text.encode())
