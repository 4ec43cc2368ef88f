"""Which layer holds the lines and which the hints, when the artist has not said so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import layers, made
from .qt import QImage

_LINE_NAME = re.compile(
    r"\b(line ?-?art|lines?|line ?work|ink(s|ed|ing)?|outlines?|contours?|clean ?up|pencils?"
    r"|linien|tusche|konturen?|l[ií]neas?|tinta|traits?|encrage|linhas?|linee)\b"
    r"|лайн|контур|線画|线稿|線稿|主線|ペン入れ|선화",
    re.IGNORECASE,
)
_HINT_NAME = re.compile(
    r"\b(hints?|nuri hints|colou?r hints?|scribbles?|hinweise?|pistas?|indices)\b|ヒント|힌트|提示",
    re.IGNORECASE,
)
# Layers that Nuri added in an earlier session of Krita.
_OWN_NAME = re.compile(r"^(Colours|Doubtful areas)( \d+)?$")
_SIDE = 48
# Looking at the picture of a layer takes about 10 ms at 4096 x 4096.
_LOOKS = 3


@dataclass(frozen=True)
class _Look:
    """Shares of a layer's thumbnail: painted at all, painted dark, painted light, painted gaudy."""

    painted: float
    dark: float
    light: float
    gaudy: float

    @property
    def is_ink(self) -> bool:
        """Some dark lines, on nothing or on light paper."""
        rest = self.painted - self.dark - self.light
        return 0.0 < self.dark < 0.5 and rest <= max(self.dark, 0.1) and self.gaudy < self.dark

    @property
    def is_hints(self) -> bool:
        """Some paint on an otherwise empty layer."""
        return 0.0 < self.painted < 0.6 and self.gaudy > 0.2 * self.painted


def line_layer(document: Any, hints: str, own: Iterable[str]) -> Any | None:
    """The layer that most likely holds the lines: by name, else the active one, else by content.

    ``hints``: identity of the hint layer; ``own``: identities of layers that Nuri added.
    """
    excluded = {hints, *own}
    nodes = [node for node, _ in layers.drawable(document) if layers.uid_of(node) not in excluded]
    nodes = [n for n in nodes if not _HINT_NAME.search(n.name()) and not _OWN_NAME.match(n.name())]
    named = [node for node in nodes if _LINE_NAME.search(node.name())]
    shown = [node for node in named if node.visible()]
    if shown or named:
        return (shown or named)[0]
    active = document.activeNode()
    first = [node for node in nodes if active and layers.uid_of(node) == layers.uid_of(active)]
    shown = [node for node in nodes if node.visible() and node not in first]
    for node in (first + shown)[:_LOOKS]:
        if _look(node).is_ink:
            return node
    return nodes[0] if len(nodes) == 1 else None


def hint_layer(document: Any, line: str, own: Iterable[str]) -> Any | None:
    """The layer that most likely holds the hints: by name, else the active one if it looks so.

    For animated lines the topmost one with key frames of its own comes first.
    """
    lines = layers.find(document, line) if line else None
    is_animated = lines is not None and layers.is_animated(lines)
    excluded = {line, *own}
    if is_animated:
        excluded |= {*made.results(document), *layers.inside(lines)}
    nodes = [node for node, _ in layers.drawable(document) if layers.uid_of(node) not in excluded]
    nodes = [node for node in nodes if node.type() == "paintlayer"]
    for node in nodes if is_animated else ():
        if node.animated() and not is_result(node):
            return node
    named = [node for node in nodes if _HINT_NAME.search(node.name())]
    if named:
        return named[0]
    active = document.activeNode()
    for node in nodes:
        if active is not None and layers.uid_of(node) == layers.uid_of(active):
            return node if _look(node).is_hints else None
    return None


def is_result(node: Any) -> bool:
    """True for a layer with the name of those that Nuri adds."""
    return bool(_OWN_NAME.match(node.name()))


def _look(node: Any) -> _Look:
    image = node.thumbnail(_SIDE, _SIDE)
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    raw = bytes(image.constBits().asarray(image.sizeInBytes()))
    painted = dark = light = gaudy = 0
    for i in range(0, len(raw), 4):
        blue, green, red, alpha = raw[i : i + 4]
        if alpha < 32:
            continue
        painted += 1
        low, high = min(red, green, blue), max(red, green, blue)
        dark += high < 128
        light += low > 200
        gaudy += high - low > 64
    total = max(1, len(raw) // 4)
    return _Look(painted / total, dark / total, light / total, gaudy / total)
