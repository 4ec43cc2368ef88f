"""What belongs to one open document, and what there is to say about a colouring of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .jobs.layer_job import LayerJob
from .notice import Kind, Notice, Offer
from .qt import QImage
from .references import Reference


@dataclass
class Desk:
    """What belongs to one open document: the chosen layers ("" lets Nuri choose), the job, news.

    ``references``: coloured drawings to follow, in the artist's order. ``live``: the preview of
    Live; ``live_note``: why there is none; ``live_key``: what the last preview was asked for.
    """

    document: str = ""
    line: str = ""
    hints: str = ""
    job: LayerJob | None = None
    notice: Notice | None = None
    preview: QImage | None = None
    references: list[Reference] = field(default_factory=list)
    live: QImage | None = None
    live_note: str = ""
    live_key: tuple[Any, ...] | None = None


def waiting(line: str) -> Notice:
    """Colours for the layer with the name ``line`` were finished but never arrived."""
    return Notice(
        Kind.advice,
        f'Colours for the layer "{line}" are waiting',
        "they were finished while the document or the layer was gone",
        (Offer.add_kept,),
    )


def summary(info: dict[str, Any]) -> Notice:
    """The daemon's facts about a result in one line for the artist."""
    coloured, unhinted = int(info.get("coloured", 0)), int(info.get("unhinted", 0))
    message = f"{coloured} area{'s' if coloured != 1 else ''} coloured"
    guesses = len(info.get("doubtful", []))
    if guesses and guesses == coloured:
        message += ", each of them a guess"
    elif unhinted:
        message += f", {unhinted} without a hint left empty"
    warnings = [str(warning) for warning in info.get("warnings", [])]
    gaps = len(info.get("gaps", []))
    details = [f"Gaps in the lines that were closed: {gaps}"] if gaps else []
    remedy = warnings[0] if warnings else ""
    if guesses:
        details.append(f"Areas that are a guess, and worth a look or a hint: {guesses}")
    return Notice(Kind.done, message, remedy, detail="\n".join(details + warnings))
