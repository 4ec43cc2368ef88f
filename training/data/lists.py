"""Which pictures of a source are tested on: those of a list file, or some of each folder."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from training.errors import TrainingError

from .picture import PictureSource
from .sources import Part


def listed(source: PictureSource, path: Path, wanted: bool) -> Part:
    """The pictures that a list file names, or with ``wanted`` off all others.

    The file has a picture a line: its path within the source, with or without suffix, or its folder
    and its name after a comma or a tab. Raises TrainingError when the file cannot be read or names
    no picture, or one that the source lacks, and when none is left.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error}", "correct eval.list") from error
    numbers = {source.label(index): index for index in range(len(source))}
    found = []
    for line in lines:
        label = "/".join(part.strip() for part in re.split("[,\t]", line))
        if not label or label.startswith("#"):
            continue
        number = numbers.get(label, numbers.get(label.rpartition(".")[0]))
        if number is None:
            raise TrainingError(
                f"{path} names {label}, which {source.name} does not hold", "correct eval.list"
            )
        found.append(number)
    named = set(found)
    indices = found if wanted else [index for index in range(len(source)) if index not in named]
    if not indices:
        kept = "no picture" if wanted else f"every picture of {source.name}"
        raise TrainingError(f"{path} names {kept}", "correct eval.list")
    return Part(source, list(dict.fromkeys(indices)))


def some_of_each_folder(source: PictureSource, count: int, seed: int) -> PictureSource:
    """``count`` pictures of each folder of a source, drawn by ``seed``, in the source's order.

    All of them with ``count`` 0, or where there are no folders.
    """
    folders = defaultdict(list)
    for index in range(len(source)):
        folders[source.label(index).rpartition("/")[0]].append(index)
    if not count or set(folders) == {""}:
        return source
    rng = np.random.default_rng((seed, 113))
    drawn = [rng.permutation(folders[name])[:count] for name in sorted(folders)]
    return Part(source, sorted(np.concatenate(drawn).tolist()))
