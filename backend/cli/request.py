"""From command-line options to a job: the checks and choices that colorize and batch share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from backend.imaging import disk, io
from backend.models.registry import PAGES, PAINTERS, ids_for
from protocol.pixels import EncodedImage, PixelBuffer, Plane

from .parser import UsageError

_OTHER_PICTURES = (
    *(".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".kra", ".ora"),
    *(".gif", ".bmp", ".avif", ".jxl", ".psd", ".exr"),
)


def check_choices(options: argparse.Namespace) -> None:
    """Refuse what no installed model can do. Raises UsageError."""
    check_model(options.model, (*ids_for("layer"), *ids_for("flats")))
    if options.reference and options.model in ids_for("flats"):
        raise UsageError(f"--model {options.model} knows no references (leave --model out)")
    if options.reference and options.fill_unhinted:
        raise UsageError("--fill-unhinted is for hints alone (a reference colours every region)")
    if options.reference and options.flats:
        raise UsageError("--flats is for hints alone (leave out --flats or --reference)")
    alone = "--flats" if options.flats else "--fill-unhinted" if options.fill_unhinted else ""
    if alone and options.model not in (None, *ids_for("flats")):
        raise UsageError(f"{alone} works without a network (leave out {alone} or --model)")
    if options.soft and task_of(options) == "flats":
        alone = alone or f"--model {options.model}"
        raise UsageError(f"{alone} has no shading to show (leave out {alone} or --soft)")
    if options.model in PAINTERS and not options.reference:
        raise UsageError(
            f"--model {options.model} paints after references (add --reference PNG, or leave "
            "--model out)"
        )
    if options.soft and not options.reference and options.model not in PAGES:
        raise UsageError(
            "--soft takes the shading of a reference "
            f"(add --reference PNG, or let --model {PAGES[0]} paint)"
        )
    if options.size is not None:
        raise UsageError("--size: no model here has a working size to choose (leave it out)")
    if options.device not in (None, "auto", "cpu"):
        raise UsageError("--device: colouring drawings runs on the CPU alone (leave it out)")


def check_layers(options: argparse.Namespace) -> None:
    """Refuse one layer of a file as both its lines and its hints. Raises UsageError."""
    if options.line_layer and options.line_layer == options.hint_layer:
        raise UsageError(
            f"the lines and the hints are the same layer, {options.line_layer!r} (name the layer "
            "that you painted your hints on with --hint-layer)"
        )


def check_has_layers(option: str, layer: str, file: Plane) -> None:
    """Refuse an option that names a ``layer``, "" for none, of a file without layers. Raises
    UsageError, NuriError bad_input (no picture)."""
    if not layer or isinstance(file, PixelBuffer):
        return
    if io.kind_of(file.data, file.file_name) != "layered":
        raise UsageError(
            f"{option} needs a .kra or .ora file, which {file.file_name} is not (leave out "
            f"{option})"
        )


def check_some_layered(option: str, layer: str, files: Collection[Path], but: str) -> None:
    """Refuse an option that names a ``layer``, "" for none, where none of ``files`` has layers.
    ``but``: how the line goes on. Raises UsageError."""
    if layer and files and not any(map(io.is_layered, files)):
        raise UsageError(f"{option} needs .kra or .ora files, {but} (leave out {option})")


def check_ending(path: Path) -> None:
    """Refuse to write a PNG under the name of another kind of picture. Raises UsageError."""
    if path.suffix.lower() in _OTHER_PICTURES:
        raise UsageError(
            f"{path} would be a PNG under the name of another kind (name it "
            f"{path.with_suffix('.png').name})"
        )


def keep_output_clean(options: argparse.Namespace, *written: Path | None) -> None:
    """Say nothing on standard output where a picture goes there. Raises UsageError."""
    if not any(path is not None and disk.is_standard_output(path) for path in written):
        return
    if options.json:
        raise UsageError("--json would mix with the picture on standard output (leave out --json)")
    options.quiet = True


def check_model(model: str | None, known: Sequence[str]) -> None:
    """Refuse a model that is neither known nor a style. Raises UsageError."""
    if model is None or model in known:
        return
    from backend.weights import styles

    taught, flaws = styles.look()
    if model in flaws:
        raise UsageError(flaws[model])
    known = (*known, *(style.id for style in taught))
    if model not in known:
        raise UsageError(f"there is no model {model!r} (available: {', '.join(known)})")


def task_of(options: argparse.Namespace) -> str:
    """The task that the options ask for: "layer", or "flats" where no network is wanted."""
    if options.reference:
        return "layer"
    alone = options.flats or options.fill_unhinted or options.model in ids_for("flats")
    return "flats" if alone else "layer"


def job_options(options: argparse.Namespace, outputs: list[str]) -> dict[str, Any]:
    """The options of the task that `task_of` names."""
    wanted: dict[str, Any] = {
        "outputs": outputs,
        "encode": "png",
        "lines": not options.no_lines,
        "line_layer": options.line_layer,
        "hint_layer": options.hint_layer,
    }
    if task_of(options) == "flats":
        wanted["fill_unhinted"] = options.fill_unhinted
        return wanted
    wanted["soft"] = options.soft
    if options.model:
        wanted["model"] = options.model
    return wanted


def inputs_of(options: argparse.Namespace, line: Path, hints: Path | None) -> list[Plane]:
    """The files of one drawing and its references, as they are. Raises NuriError."""
    planes: list[Plane] = [EncodedImage("line", str(line), disk.read_file(line))]
    if hints is not None:
        planes.append(EncodedImage("hints", str(hints), disk.read_file(hints)))
    for index, path in enumerate(options.reference or ()):
        planes.append(EncodedImage(f"reference_{index}", str(path), disk.read_file(path)))
    return planes


def check_references(options: argparse.Namespace) -> None:
    """Refuse references that are no pictures, before each drawing would. Raises NuriError."""
    for path in options.reference or ():
        io.kind_of(disk.read_file(path), str(path))


def png_of(plane: Plane) -> bytes | memoryview:
    """The file that a job was asked to encode."""
    if isinstance(plane, PixelBuffer):
        raise TypeError(f"{plane.name} came without its encoding")
    return plane.data


def palette_of(info: dict[str, Any]) -> bytes:
    """The colours and their regions as JSON."""
    text = json.dumps({"palette": info["palette"], "regions": info["regions"]}, indent=1)
    return text.encode()
