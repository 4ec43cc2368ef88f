"""A folder of small real networks, written as the shipped ones are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from backend.models import architectures
from backend.weights import manifest


def put(
    folder: Path, identifier: str, options: Mapping[str, Any], *, network: str = "", seed: int = 0
) -> Path:
    """A fresh network under ``identifier``, fp16 as shipped; returns its file."""
    torch.manual_seed(seed)
    model = architectures.build(network or identifier, options).half()
    path = folder / f"{identifier}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    architectures.save_model(path, model)
    content = path.read_bytes()
    entry = manifest.Entry(
        id=identifier,
        file=path.name,
        network=network or identifier,
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
