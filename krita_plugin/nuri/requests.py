"""What the artist asks for: the choices for a document and for all of them, as a `jobs.Request`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import hints, layers
from .animation_plan import colour_layer
from .desk import Desk
from .document import key_of
from .jobs import CHOOSERS, FLATS, LAYER, Request
from .references import Reference
from .settings import COLOURING, Settings


def layer_request(
    settings: Settings, desk: Desk, document: Any, line: Any, own: list[str], model: str = ""
) -> Request:
    """Colorize layer. ``own``: identities of layers that Nuri added; ``model``: in place of the
    chosen one. Raises `NuriError`: why it cannot be done.
    """
    references = tuple(desk.references)
    model = model or _chosen(settings)
    task = LAYER if model else settings.model(COLOURING).partition("/")[0]
    if not task:
        task = FLATS if settings.flag("fill_unhinted") else LAYER
    if references:
        task = LAYER
    uid = layers.uid_of(line)
    needed = not references and model not in CHOOSERS
    node = hints.find_painted(document, desk.hints, uid, own, needed=needed)
    hint = layers.uid_of(node) if node is not None else ""
    return Request(
        document=key_of(document),
        line=uid,
        hints=hint,
        fill_unhinted=settings.flag("fill_unhinted"),
        replace=_replaced(settings, document, own, (uid, hint, *_layers_of(document, references))),
        references=references,
        model=model,
        task=task,
        soft=settings.flag("soft"),
    )


def animation_request(
    settings: Settings, desk: Desk, document: Any, line: Any, own: list[str]
) -> Request:
    """Colorize animation. Raises `NuriError`: why it cannot be done."""
    uid = layers.uid_of(line)
    colours = layers.uid_of(colour_layer(document, desk.hints, uid, own))
    model = _chosen(settings)
    used = uid, colours, *_layers_of(document, desk.references)
    return Request(
        key_of(document),
        uid,
        colours,
        replace=_replaced(settings, document, own, used),
        # what chooses colours itself would choose others for each frame
        model="" if model in CHOOSERS else model,
        soft=settings.flag("soft"),
    )


def _chosen(settings: Settings) -> str:
    """The model or style that was chosen, "" where it is left to the backend."""
    task, _, model = settings.model(COLOURING).partition("/")
    return model if task == LAYER else ""


def _layers_of(document: Any, references: Iterable[Reference]) -> list[str]:
    """Identities of the layers of this document that are references."""
    key = key_of(document)
    return [reference.key for reference in references if reference.document == key]


def _replaced(settings: Settings, document: Any, own: list[str], used: Iterable[str]) -> str:
    """The last result, "" where it stays: it is, or is in, one of the layers ``used``."""
    if not own or not settings.flag("replace_previous"):
        return ""
    for uid in used:
        node = layers.find(document, uid)
        if node is not None and own[-1] in (uid, *layers.inside(node)):
            return ""
    return own[-1]
