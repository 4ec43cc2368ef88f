"""What a style can be taught on: the coloured frames of an animation, or coloured pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import guess, layers, made
from ..animation.key_frames import KeyFrame, coloured_frames, read_key
from ..desk import Desk
from ..document import find_document, key_of, when_idle
from ..steps import Work
from ..timeline import Timeline, is_blank

MOST = 64  # frames or pages


@dataclass(frozen=True)
class Lesson:
    """Where coloured drawings are: a document and the identities of its layers."""

    document: str
    line: str
    colours: str


def pages(documents: list[Any], desks: dict[str, Desk], own: dict[str, list[str]]) -> list[Lesson]:
    """The open still drawings that have their colours: ``own`` identities of layers that Nuri
    added, and ``desks``, both by document.
    """
    found = []
    for document in documents:
        key = key_of(document)
        desk, added = desks.get(key, Desk(key)), own.get(key, [])
        line = layers.find(document, desk.line) if desk.line else None
        line = line or guess.line_layer(document, desk.hints, added)
        if line is None or layers.is_animated(line):
            continue
        colours = _colours(document, desk.hints, added)
        if colours and colours != layers.uid_of(line):
            found.append(Lesson(key, layers.uid_of(line), colours))
    return found


def _colours(document: Any, chosen: str, added: list[str]) -> str:
    """The newest colours that Nuri added, which the artist may have corrected, else the chosen
    layer: hints that nobody has named are dots, from which nothing is learnt.
    """
    for uid in reversed(added):
        if layers.find(document, uid) is not None:
            return uid
    nodes = [node for node, _ in layers.drawable(document) if guess.is_result(node)]
    if nodes:
        return layers.uid_of(nodes[0])
    return chosen if chosen and layers.find(document, chosen) is not None else ""


def read_lessons(lessons: list[Lesson]) -> Work:
    """`KeyFrame`s of each lesson, a list for each, those without colours left out.

    Raises `NuriError`: not_found (the active document has been closed), busy.
    """
    found: list[list[KeyFrame]] = []
    for lesson in lessons:
        if len(lessons) > 1 and find_document(lesson.document) is None:
            continue  # the others go on
        document = yield from when_idle(lesson.document)
        with Timeline(document) as timeline:
            yield 0
            found.append((yield from _read(timeline, lesson, document)))
    return [frames for frames in found if frames]


def _read(timeline: Timeline, lesson: Lesson, document: Any) -> Work:
    if timeline.times(lesson.line):
        past = made.latest(document, lesson.line)
        keys, _ = yield from coloured_frames(timeline, lesson.line, lesson.colours, past, MOST)
        return list(keys.values())
    place = (lesson.colours, timeline.now)
    page = yield from read_key(timeline, lesson.line, timeline.now, place, "key")
    return [] if (yield from is_blank(page.seen)) else [page]
