"""What the artist asks for: the choices for a document and for all of them, as a `jobs.Request`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import Any

from . import hints, layers
from .animation.plan import colour_layer
from .desk import Desk
from .document import key_of
from .jobs.request import CHOOSERS, FLATS, LAYER, Request
from .references import Reference
from .results import AddedLayer, Results
from .settings import COLOURING, Settings


def layer_request(
    settings: Settings, desk: Desk, document: Any, line: Any, results: Results, model: str = ""
) -> Request:
    """Colorize layer. ``model``: in place of the chosen one. Raises `NuriError`: why it cannot be
    done.
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
    key = key_of(document)
    node = hints.find_painted(document, desk.hints, uid, results.layers(key), needed=needed)
    hint = layers.uid_of(node) if node is not None else ""
    used = uid, hint, *_layers_of(document, references)
    return Request(
        document=key,
        line=uid,
        hints=hint,
        fill_unhinted=settings.flag("fill_unhinted"),
        earlier=_earlier(settings, results, document, uid, used),
        references=references,
        model=model,
        task=task,
        soft=settings.flag("soft"),
        time=document.currentTime(),
    )


def animation_request(
    settings: Settings, desk: Desk, document: Any, line: Any, results: Results
) -> Request:
    """Colorize animation. Raises `NuriError`: why it cannot be done."""
    uid = layers.uid_of(line)
    key = key_of(document)
    colours = layers.uid_of(colour_layer(document, desk.hints, uid, results.layers(key)))
    model = _chosen(settings)
    used = uid, colours, *_layers_of(document, desk.references)
    return Request(
        key,
        uid,
        colours,
        earlier=_earlier(settings, results, document, uid, used, is_animation=True),
        # what chooses colours itself would choose others for each frame
        model="" if model in CHOOSERS else model,
        soft=settings.flag("soft"),
        time=document.currentTime(),
    )


def _chosen(settings: Settings) -> str:
    """The model or style that was chosen, "" where it is left to the backend."""
    task, _, model = settings.model(COLOURING).partition("/")
    return model if task == LAYER else ""


def _layers_of(document: Any, references: Iterable[Reference]) -> list[str]:
    """Identities of the layers of this document that are references."""
    key = key_of(document)
    return [reference.key for reference in references if reference.document == key]


def _earlier(
    settings: Settings,
    results: Results,
    document: Any,
    line: str,
    used: Iterable[str],
    is_animation: bool = False,
) -> tuple[AddedLayer, ...]:
    """The results that a new one for a line layer may replace, newest first: up to one that is, or
    is in, one of the layers ``used``, which stays.
    """
    if not settings.flag("replace_previous"):
        return ()
    taken = set(used)
    for uid in used:
        node = layers.find(document, uid)
        taken.update(layers.inside(node) if node is not None else ())
    earlier = results.earlier(document, line, is_animation)
    return tuple(takewhile(lambda result: result.layer not in taken, earlier))
