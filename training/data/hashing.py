"""One hash for the data behind a data set, for the record of a run."""

from __future__ import annotations

import hashlib

from training.names import name_bytes

from .base import SampleDataset
from .cache import content_hash

WHOLE = 2**30  # bytes up to which contents are read; larger sets count by name and size


def data_hash(dataset: SampleDataset) -> str:
    """``content:`` or ``names:`` and a SHA-256 over all files (relative names, contents or sizes).

    Generated data counts by its labels, which follow from kind and seed.
    """
    source = dataset.source
    files = sorted({path for index in range(len(source)) for path in source.files(index)})
    state = hashlib.sha256(name_bytes(source.name))
    if not files:
        for index in range(len(source)):
            state.update(name_bytes(f"{source.label(index)}\n"))
        return f"content:{state.hexdigest()}"
    sizes = [path.stat().st_size for path in files]
    whole = sum(sizes) <= WHOLE
    for path, size in zip(files, sizes, strict=True):
        # two folders up tell split and kind; the place of the data must not matter
        place = "/".join(path.parts[-3:])
        state.update(name_bytes(f"{place}:{content_hash(path) if whole else size}\n"))
    return f"{'content' if whole else 'names'}:{state.hexdigest()}"
