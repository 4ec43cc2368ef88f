"""Colourings under way, noted in a file: what a crash of Krita or a closed document kept from the
artist can be fetched from the daemon, which keeps results for a day.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from protocol.folders import state_folder

from . import layers
from .pixels.colourspace import ColourSpace

_logger = logging.getLogger(__name__)
_NAME = "krita.json"
_KEPT_SECONDS = 24 * 3600
_MOST = 20


@dataclass(frozen=True)
class Colouring:
    """``job``: its name in the daemon. ``line``: identity of the line layer, which a saved file
    keeps; ``space``: of the colours as they come; ``began``: Unix seconds.
    """

    job: str
    line: str
    space: ColourSpace
    began: float


def remember(job: str, line: str, space: ColourSpace) -> None:
    """Notes a colouring that has been sent to the daemon."""
    known = [entry for entry in _read() if entry.job != job]
    _write([*known, Colouring(job, line, space, time.time())][-_MOST:])


def forget(job: str) -> None:
    """The artist has the colours, or did not want them."""
    known = _read()
    left = [entry for entry in known if entry.job != job]
    if left != known:
        _write(left)


def waiting_for(document: Any, under_way: set[str]) -> Colouring | None:
    """The newest colouring for a layer of this document that never arrived in it.

    ``under_way``: jobs that are still running in this Krita.
    """
    entries = {entry.line: entry for entry in _read() if entry.job not in under_way}
    if not entries:
        return None
    found = [entries[uid] for uid in _uids(document) if uid in entries]
    return max(found, key=lambda entry: entry.began, default=None)


def _uids(document: Any) -> Iterator[str]:
    for node, _ in layers.walk(document.rootNode()):
        yield layers.uid_of(node)


def _read() -> list[Colouring]:
    try:
        noted = json.loads((state_folder() / _NAME).read_bytes())
        entries = [Colouring(**{**e, "space": ColourSpace(*e["space"])}) for e in noted]
        return [entry for entry in entries if time.time() - entry.began < _KEPT_SECONDS]
    except (KeyError, OSError, TypeError, ValueError):
        # Not there yet, or written by another version: nothing in it is worth a message.
        return []


def _write(entries: list[Colouring]) -> None:
    """Whole or not at all; not forced to the disk, which could hold up Krita's event loop."""
    path = state_folder() / _NAME
    scratch = path.with_suffix(f".{os.getpid()}")
    try:
        scratch.write_text(json.dumps([asdict(entry) for entry in entries], indent=1))
        os.replace(scratch, path)
    except OSError as error:
        # A full disk costs this note, not the colouring that goes on.
        _logger.warning("cannot note the colourings under way: %s", error)
