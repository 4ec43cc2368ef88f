"""`nuri-train fetch`: the one command that downloads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.errors import TrainingError
from training.pretrained import FOLDER_VARIABLE, SOURCES, load_state, resolve
from training.published import fitted


def fetch(options: argparse.Namespace) -> int:
    """Download what is not here yet, and say where each file is, its licence and its source."""
    here = {name: resolve(name) for name in options.names}
    for name, path in here.items():
        source = SOURCES[name]
        path = path or _downloaded(name)
        origin = f", {source.url}" if source.url else ""
        sys.stdout.write(f"{path}: {name}, {source.licence}{origin}\n")
        sys.stdout.flush()
    return 0


def _downloaded(name: str) -> Path:
    """The file of a network, new here; one that is cut or of something else is not kept."""
    path = resolve(name, allow_download=True)
    if path is None:
        raise TrainingError(
            f"no address is known for {name}",
            f"put its file into the folder that {FOLDER_VARIABLE} names; `nuri-train import` does",
        )
    try:
        fitted(name, load_state(path), str(path))
    except TrainingError as error:
        if not isinstance(error.__cause__, ImportError):
            path.unlink()
        raise TrainingError(
            f"what {SOURCES[name].url} gave is not {name}: {error.message}", "fetch it again"
        ) from error
    return path
