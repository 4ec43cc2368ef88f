"""What Nuri made of which frames, noted in the document: a later run colours only what changed.

A frame of a result is stale when its lines or a key frame that it may follow have changed, and a
key frame itself when the artist has painted on it. What a frame takes from the one before it does
not make it stale: a change would run through the whole shot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from functools import lru_cache
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

    ``source``: "made" by Nuri, "key" of the coloured layer, "corrected" by the artist, or "empty".
    ``painted``: digest of what the coloured layer had there, "" for nothing. ``doubts``: how many
    of its areas have no good match.
    """

    recipe: str
    digest: str
    source: str
    painted: str = ""
    doubts: int = 0


@dataclass(frozen=True)
class Past:
    """A result that is in the document: its identity, "" for none; its frames by time.

    ``view``: of the `Timeline` that it was made for; digests of another say nothing. ``corners``:
    left and top of what was painted on some of the frames, which tell how far a canvas has moved.
    """

    layer: str = ""
    frames: dict[int, Made] = field(default_factory=dict)
    view: str = ""
    corners: dict[int, tuple[int, int]] = field(default_factory=dict)


def digest(*parts: Any) -> str:
    """A short name of bytes and texts."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()


def recipe(line: str, time: int, keys: Sequence[tuple[int, str]], manner: str) -> str:
    """What a frame with lines ``line`` depends on; ``keys``: (time, digest), in order of time.

    ``manner``: how it is coloured, "" for the usual. Of the key frames on both sides it matters how
    far they are; any other may be followed for its lines, whenever it is.
    """
    before = [key for key in keys if key[0] < time][-1:]
    after = [key for key in keys if key[0] > time][:1]
    parts = [f"|{moment - time}:{name}" for moment, name in before + after]
    far = sorted({name for _, name in keys} - {name for _, name in before + after})
    parts += [f"|{name}" for name in far]
    return digest(line, *parts, *([f"|{manner}"] if manner else []))


def latest(document: Any, line: str) -> Past:
    """The newest result for a line layer that is still there."""
    for uid, entry in reversed(list(noted(document, _KEY).items())):
        try:
            if entry["line"] == line and layers.find(document, uid) is not None:
                frames = {int(time): Made(*made) for time, made in entry["frames"].items()}
                places = entry.get("corners", {})
                corners = {int(time): (int(x), int(y)) for time, (x, y) in places.items()}
                return Past(uid, frames, entry["view"], corners)
        except (KeyError, TypeError, ValueError):
            continue  # noted by another version
    return Past()


def results(document: Any) -> list[str]:
    """Identities of the animations that Nuri has made in this document, in this session or not."""
    return list(noted(document, _KEY))


def remember(document: Any, line: str, result: Past) -> None:
    """Notes a result for a line layer in the document; it is saved with it, and no undo step."""
    known = noted(document, _KEY)
    known[result.layer] = {
        "line": line,
        "view": result.view,
        "frames": {time: astuple(made) for time, made in result.frames.items()},
        "corners": result.corners,
    }
    kept = dict(list(known.items())[-_MOST_LAYERS:])
    document.setAnnotation(_KEY, _ABOUT, QByteArray(json.dumps(kept).encode()))


def noted(document: Any, key: str) -> dict[str, Any]:
    """What a document notes under a key, to be added to; {} when there is nothing of use."""
    try:
        return dict(_parsed(bytes(document.annotation(key))))
    except (TypeError, ValueError):
        return {}


@lru_cache(maxsize=2)
def _parsed(text: bytes) -> dict[str, Any]:
    """Kept, as the docker asks whenever the pointer comes to it. Raises ValueError."""
    known = json.loads(text)
    return known if isinstance(known, dict) else {}
