"""The page of `nuri animate --review`: lines, result and confidence side by side, to be played.

It lies beside the results as review.html, its pictures in the folder review/. What an earlier run
found out about frames that are left alone now is taken from there, as far as it was found out about
the pictures that are there now.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backend.imaging import disk, io
from protocol.errors import NuriError
from protocol.pixels import EncodedImage, Plane

from .animate_made import Made
from .animate_plan import Plan, ShotFrame

FOLDER = "review"
_PAGE, _FACTS = "review.html", "frames.json"
_SIDE = 640  # pixels of the longer side of lines and confidence
_NOTES = {
    "key": "key frame",
    "missing": "not coloured yet",
    "stale": "of an earlier run, whose key frames are gone",
    "": "coloured in an earlier run, without a review",
}


class Review:
    """Collects what is known of each frame; `write` makes the page. Raises NuriError (files)."""

    def __init__(self, plan: Plan, output: Path, made: Made) -> None:
        self._plan = plan
        self._output = output
        self._made = made
        self._folder = output / FOLDER
        disk.make_folder(self._folder)
        self._facts: dict[str, dict[str, Any]] = {}
        self._lines: dict[str, str] = {}
        self._read_earlier()
        self._copies = {frame.name for frame, key in plan.keys if key.film is None}
        self._stale: set[str] = set()

    def key(self, frame: ShotFrame) -> None:
        """A key frame, which is its own result."""
        self._tell(frame, "key")

    def failed(self, frame: ShotFrame, error: NuriError) -> None:
        self._tell(frame, "failed", reason=str(error))

    def skipped(self, frame: ShotFrame) -> None:
        """A frame that was done before; a review may have seen it fail before that."""
        if frame.name in self._copies:
            self.key(frame)
        elif self._facts.get(frame.name, {}).get("state") == "failed":
            del self._facts[frame.name]

    def stale(self, names: Iterable[str]) -> None:
        """Frames of these names have outputs whose key frames are gone."""
        self._stale.update(names)

    def coloured(self, frame: ShotFrame, facts: dict[str, Any], confidence: Plane | None) -> None:
        """A frame with the picture ``confidence`` (gray PNG) that came with it."""
        known = ("confidence", "doubtful", "coloured", "regions")
        self._tell(frame, "done", **{name: facts.get(name) for name in known})
        if isinstance(confidence, EncodedImage):
            data = _tinted(confidence.data)
            disk.write_atomic(self._picture(frame, "confidence"), data)

    def write(self) -> Path:
        """The page, with what is there by now; returns its path."""
        for frame in self._plan.frames:
            self._forget_others(frame)
            self._draw_lines(frame)
        frames = [self._entry(frame) for frame in self._plan.frames]
        shot = json.dumps({"title": f"Review of {self._output.name}", "frames": frames})
        template = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
        page = template.replace("__SHOT__", shot.replace("</", "<\\/"))
        known = {"frames": self._facts, "lines": self._lines}
        disk.write_atomic(self._folder / _FACTS, json.dumps(known, indent=1).encode())
        disk.write_atomic(self._output / _PAGE, page.encode())
        return self._output / _PAGE

    def _tell(self, frame: ShotFrame, state: str, **facts: Any) -> None:
        """What is known of a frame, and the recipe of the output that it is known of."""
        self._facts[frame.name] = {"state": state, "recipe": self._made.recipe(frame), **facts}

    def _read_earlier(self) -> None:
        """What the file says of these frames; nothing where there is none, or none of use."""
        names = {frame.name for frame in self._plan.frames}
        try:
            known = json.loads((self._folder / _FACTS).read_bytes())
            frames = {name: dict(facts) for name, facts in known["frames"].items() if name in names}
            lines = {name: str(it) for name, it in known["lines"].items() if name in names}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self._facts, self._lines = frames, lines

    def _forget_others(self, frame: ShotFrame) -> None:
        """Drop what is known of another output than the one that is there now."""
        facts = self._facts.get(frame.name)
        if facts is not None and facts.get("recipe") != self._made.recipe(frame):
            del self._facts[frame.name]
            self._picture(frame, "confidence").unlink(missing_ok=True)

    def _picture(self, frame: ShotFrame, kind: str) -> Path:
        return self._folder / f"{frame.name}.{kind}.png"

    def _draw_lines(self, frame: ShotFrame) -> None:
        path, lines = self._picture(frame, "lines"), self._made.lines(frame)
        if path.exists() and self._lines.get(frame.name) == lines:
            return
        try:
            disk.write_atomic(path, _small_lines(frame.plane("line")))
            self._lines[frame.name] = lines
        except NuriError:
            path.unlink(missing_ok=True)  # a damaged frame has been told already

    def _entry(self, frame: ShotFrame) -> dict[str, Any]:
        facts = self._facts.get(frame.name, {})
        state = str(facts.get("state", "")) if frame.output.exists() else "missing"
        if facts.get("state") == "failed":
            state = "failed"
        elif frame.name in self._stale:
            state = "stale"
        entry: dict[str, Any] = {"name": frame.name, "state": state, "note": _note(state, facts)}
        entry["doubtful"] = bool(facts.get("doubtful")) and state == "done"
        for kind in ("lines", "confidence"):
            path = self._picture(frame, kind)
            entry[kind] = _link(f"{FOLDER}/{path.name}") if path.exists() else ""
        if state != "done":
            entry["confidence"] = ""
        entry["result"] = _link(frame.output.name) if frame.output.exists() else ""
        return entry


def _link(name: str) -> str:
    """A file beside the page; names may be no text."""
    return quote(os.fsencode(name))


def _note(state: str, facts: dict[str, Any]) -> str:
    if state == "failed":
        return str(facts.get("reason", ""))
    if state != "done":
        return _NOTES[state]
    doubtful = len(facts.get("doubtful") or [])
    text = f"{facts.get('coloured')} of {facts.get('regions')} regions coloured, "
    text += f"confidence {float(facts.get('confidence') or 0):.0%}"
    return text + (f", {doubtful} doubtful" if doubtful else "")


def _small_lines(plane: Plane) -> bytes:
    from backend.imaging import planes
    from backend.imaging.lines import to_unit

    if isinstance(plane, EncodedImage):
        pixels = io.read_image(plane.data, plane.file_name, plane.layer)
    else:
        pixels = planes.to_array(plane)
    unit = to_unit(pixels)
    if unit.ndim == 3 and unit.shape[2] == 4:
        unit = 1 - unit[..., 3:] * (1 - unit[..., :3])
    return io.encode_png(_shrunk((unit * 255 + 0.5).astype("uint8"), exact=False))


def _tinted(data: bytes | memoryview) -> bytes:
    """White where the match is sure, red where it is not."""
    import numpy as np

    grey = _shrunk(io.read_image(data, "confidence.png"), exact=True)
    sure = np.clip(grey.astype(np.float32) / 255, 0, 1)
    red = np.full_like(sure, 255)
    other = 40 + 215 * sure
    return io.encode_png(np.stack([red, other, other], axis=-1).astype(np.uint8))


def _shrunk(pixels: Any, *, exact: bool) -> Any:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    if scale == 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_NEAREST_EXACT if exact else cv2.INTER_AREA
    return cv2.resize(pixels, size, interpolation=way)
