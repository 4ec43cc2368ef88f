"""What Nuri made of which frames, noted in the document: a later run colours only what changed.

A frame of a result is stale when its lines or the key frames next to it have changed, and a key
frame itself when the artist has painted on it. A likeness to a key frame farther away does not
make it stale: what is far from a correction is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import layers
from .qt import QByteArray

_KEY = "nuri_animation"
_ABOUT = "Nuri: which frames were coloured from what"
_MOST_LAYERS = 8
_SIZE = 12  # bytes of a digest


@dataclass(frozen=True)
class Made:
    """One frame of a result: ``recipe`` of what it was made from, ``digest`` of its pixels.

    ``source``: "made" by Nuri, "key" of the coloured layer, or "corrected" by the artist.
    """

    recipe: str
    digest: str
    source: str


def digest(*parts: Any) -> str:
    """A short name of bytes and texts."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()


def recipe(line: str, time: int, keys: Sequence[tuple[int, str]], manner: str) -> str:
    """What a frame with lines ``line`` depends on; ``keys``: (time, digest), in order of time.

    ``manner``: how it is coloured, "" for the usual.
    """
    before = [key for key in keys if key[0] < time][-1:]
    after = [key for key in keys if key[0] > time][:1]
    parts = [f"|{moment - time}:{name}" for moment, name in before + after]
    return digest(line, *parts, *([f"|{manner}"] if manner else []))


def latest(document: Any, line: str) -> tuple[str, dict[int, Made]]:
    """The newest result for a line layer that is still there: its identity, its frames by time.

    ("", {}) when there is none.
    """
    for uid, entry in reversed(list(noted(document, _KEY).items())):
        try:
            if entry["line"] == line and layers.find(document, uid) is not None:
                return uid, {int(time): Made(*made) for time, made in entry["frames"].items()}
        except (KeyError, TypeError, ValueError):
            continue  # noted by another version
    return "", {}


def results(document: Any) -> list[str]:
    """Identities of the animations that Nuri has made in this document, in this session or not."""
    return list(noted(document, _KEY))


def remember(document: Any, uid: str, line: str, frames: dict[int, Made]) -> None:
    """Notes a result in the document; it is saved with it, and no undo step."""
    known = noted(document, _KEY)
    known[uid] = {
        "line": line,
        "frames": {time: [made.recipe, made.digest, made.source] for time, made in frames.items()},
    }
    kept = dict(list(known.items())[-_MOST_LAYERS:])
    document.setAnnotation(_KEY, _ABOUT, QByteArray(json.dumps(kept).encode()))


def noted(document: Any, key: str) -> dict[str, Any]:
    """What a document notes under a key; {} when there is nothing of use."""
    try:
        known = json.loads(bytes(document.annotation(key)))
    except (TypeError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
