"""Which data a run has seen: a short hash of a folder's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from training.names import name_bytes

_HEAD = 1 << 16


def fingerprint(path: Path) -> str:
    """Hash of the names, sizes and first 64 KiB of all files below ``path`` (or of one file)."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        facts = f"{name}\0{file.stat().st_size}\0"
        digest.update(name_bytes(facts))
        with file.open("rb") as stream:
            digest.update(stream.read(_HEAD))
    return digest.hexdigest()[:16]
