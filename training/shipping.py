"""A trained network into a folder of weights: the fp16 file, its model card, its entry."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.models import architectures
from backend.weights import manifest
from training.engine.checkpoint import load as read_checkpoint
from training.errors import TrainingError
from training.export import export_network, is_of, measured, save_network
from training.files import write_text

PICTURES = "../../docs/models"  # of cards, from the folder of weights that ships


@dataclass(frozen=True)
class Label:
    """What a person says of the weights. ``data``: sets with who made them. ``notes``: Markdown."""

    id: str
    licence: str
    data: tuple[str, ...]
    command: str
    notes: str = ""


def ship_run(
    checkpoint: Path,
    folder: Path,
    label: Label,
    network: str = "generator",
    *,
    evaluation: Path | None = None,
) -> manifest.Entry:
    """Ship one network of a run's checkpoint; as `ship_file`.

    Raises TrainingError, too, where ``evaluation`` is of other weights of the run.
    """
    _check_id(label.id)
    if not is_of(_figures(evaluation), read_checkpoint(checkpoint)):
        raise TrainingError(
            f"{evaluation} was measured before the run was trained further",
            "run `nuri-train evaluate` again",
        )
    with _workbench(folder) as bench:
        whole = Path(bench) / "whole.safetensors"
        export_network(checkpoint, whole, network)
        return ship_file(whole, folder, label, evaluation=evaluation)


def ship_file(
    source: Path, folder: Path, label: Label, *, evaluation: Path | None = None
) -> manifest.Entry:
    """Write a network as fp16 into a folder of weights; returns its new entry in the manifest.

    ``evaluation``: JSON as `nuri-train evaluate` writes it; None: no figures. Raises TrainingError
    when the id is no name of a file, a file cannot be read or written, or the network is larger
    than what may travel.
    """
    _check_id(label.id)
    with _workbench(folder) as bench:
        part = Path(bench) / "part.safetensors"
        try:
            # where the data lay is of no use elsewhere; the label names the sets
            facts = architectures.read_header(source).extra
            extra = {name: value for name, value in facts.items() if name != "data"}
            model = architectures.load_model(source)
        except (OSError, ValueError) as error:
            raise TrainingError(str(error), "name a file of `nuri-train export`") from error
        save_network(part, model.half(), extra)
        return _place(part, folder, label, evaluation)


def _check_id(name: str) -> None:
    """Refuse an id whose files would lie elsewhere than in the folder of weights."""
    if not name or name.startswith(".") or set(name) & set("/\\:"):
        raise TrainingError(
            f"{name!r} is no name for weights", "choose an id without / \\ : and a leading dot"
        )


def _workbench(folder: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".ship-", dir=folder)
    except OSError as error:
        raise TrainingError(
            f"cannot write into {folder} ({error.strerror})", "choose another folder"
        ) from error


def _place(part: Path, folder: Path, label: Label, evaluation: Path | None) -> manifest.Entry:
    content = part.read_bytes()
    if len(content) > manifest.LARGEST:
        raise TrainingError(
            f"{label.id} has {len(content):,} bytes as fp16, more than {manifest.LARGEST:,}",
            "train a narrower network",
        )
    header = architectures.read_header(part)
    facts = _figures(evaluation)
    known = {name: value for name, value in facts.get("metrics", {}).items() if value is not None}
    entry = manifest.Entry(
        id=label.id,
        file=f"{label.id}.safetensors",
        network=header.name,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        licence=label.licence,
        data=label.data,
        command=label.command,
        figures={name: round(float(value), 4) for name, value in known.items()},
    )
    try:
        listed = manifest.with_entry(folder, entry)
    except ValueError as error:
        raise TrainingError(str(error), "mend the manifest") from error
    shown = (folder / PICTURES / f"{entry.id}.jpg").is_file()
    card = _card(header, entry, facts, _pictures(entry.id) if shown else "", label.notes)
    part.chmod(0o644)  # written for its owner alone
    part.replace(folder / entry.file)
    write_text(folder / f"{entry.id}.md", card)
    write_text(folder / manifest.NAME, listed)
    return entry


def _figures(evaluation: Path | None) -> dict[str, Any]:
    if evaluation is None or not evaluation.is_file():
        return {}
    try:
        facts: dict[str, Any] = json.loads(evaluation.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{evaluation}: {error}", "run `nuri-train evaluate` again") from error
    return facts


def _pictures(identifier: str) -> str:
    return "\n".join(
        [
            "## Pictures",
            "",
            "The best and the worst of some pictures that it has not seen, of the sets named above",
            "and under their licences (`benchmarks/gallery.py`):",
            "",
            f"![{identifier}: best and worst]({PICTURES}/{identifier}.jpg)",
        ]
    )


def _card(
    header: architectures.Header,
    entry: manifest.Entry,
    facts: Mapping[str, Any],
    pictures: str,
    notes: str,
) -> str:
    extra = [f"- {name}: {_shown(value)}" for name, value in header.extra.items()]
    lines = [
        f"# {entry.id}",
        "",
        f"- Architecture: `{header.name}`, options `{json.dumps(header.options)}`",
        f"- {entry.bytes:,} bytes, fp16",
        *extra,
        "",
        "## Trained on",
        "",
        *(f"- {line}" for line in entry.data),
        "",
        "```",
        entry.command,
        "```",
        "",
        "## Measured",
        "",
        *(measured(facts) if facts else ["Not measured yet."]),
        "",
        *([pictures, ""] if pictures else []),
        "## Licence",
        "",
        entry.licence,
    ]
    return "\n".join(lines) + "\n" + (f"\n{notes.strip()}\n" if notes.strip() else "")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "nothing"
    return str(value)
