"""Colourings under way, remembered by Krita: what a crash or a closed document kept from the
artist can be fetched from the daemon, which keeps results for a day.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from krita import Krita

from . import layers

_GROUP, _KEY = "nuri", "colourings"
_KEPT_SECONDS = 24 * 3600
_MOST = 20


@dataclass(frozen=True)
class Colouring:
    """``job``: its name in the daemon. ``line``: identity of the line layer, which a saved file
    keeps; ``began``: Unix seconds.
    """

    job: str
    line: str
    began: float


def remember(job: str, line: str) -> None:
    """Notes a colouring that has been sent to the daemon."""
    known = [entry for entry in _read() if entry.job != job]
    _write([*known, Colouring(job, line, time.time())][-_MOST:])


def forget(job: str) -> None:
    """The artist has the colours, or did not want them."""
    _write([entry for entry in _read() if entry.job != job])


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
    text = Krita.instance().readSetting(_GROUP, _KEY, "[]")
    try:
        entries = [Colouring(**entry) for entry in json.loads(text)]
        return [entry for entry in entries if time.time() - entry.began < _KEPT_SECONDS]
    except (TypeError, ValueError):
        # Written by hand or by another version: nothing in it is worth a message.
        return []


def _write(entries: list[Colouring]) -> None:
    Krita.instance().writeSetting(_GROUP, _KEY, json.dumps([asdict(entry) for entry in entries]))
