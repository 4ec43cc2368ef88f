"""A folder of small real networks, written as the shipped ones are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from backend.models import architectures
from backend.weights import manifest

SMALL_MATCHER = {"width": 4, "dim": 16, "layers": 1}


def put(
    folder: Path, identifier: str, options: Mapping[str, Any], *, network: str = "", seed: int = 0
) -> Path:
    """A fresh network under ``identifier``, fp16 as shipped; returns its file."""
    torch.manual_seed(seed)
    return put_model(folder, identifier, architectures.build(network or identifier, options))


def lend(folder: Path, identifier: str) -> Path:
    """The shipped network ``identifier``, where a fresh one would only make noise."""
    shipped = Path(manifest.__file__).parent
    model = architectures.load_model(shipped / f"{identifier}.safetensors")
    return put_model(folder, identifier, model)


def put_model(folder: Path, identifier: str, model: nn.Module) -> Path:
    """A network under ``identifier``, as `put` does; it is halved in place."""
    path = folder / f"{identifier}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    architectures.save_model(path, model.half())
    content = path.read_bytes()
    entry = manifest.Entry(
        id=identifier,
        file=path.name,
        network=architectures.name_of(model),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        licence="CC0-1.0",
        data=("nothing",),
        command="none: fresh weights of a test",
        figures={"psnr": 20.5},
    )
    text = manifest.with_entry(folder, entry)
    (folder / manifest.NAME).write_text(text, encoding="utf-8")
    return path
