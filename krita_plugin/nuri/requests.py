"""What the artist asks for: the choices for a document and for all of them, as a `jobs.Request`."""

from __future__ import annotations

from typing import Any

from . import hints, layers
from .animation_plan import colour_layer
from .desk import Desk
from .document import key_of
from .jobs import CHOOSERS, FLATS, LAYER, Request
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
    hint = hints.find_painted(document, desk.hints, uid, own, needed=needed)
    return Request(
        document=key_of(document),
        line=uid,
        hints=layers.uid_of(hint) if hint is not None else "",
        fill_unhinted=settings.flag("fill_unhinted"),
        replace=_replaced(settings, own),
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
    colours = colour_layer(document, desk.hints, uid, own)
    model = _chosen(settings)
    return Request(
        key_of(document),
        uid,
        layers.uid_of(colours),
        replace=_replaced(settings, own),
        # what chooses colours itself would choose others for each frame
        model="" if model in CHOOSERS else model,
        soft=settings.flag("soft"),
    )


def _chosen(settings: Settings) -> str:
    """The model or style that was chosen, "" where it is left to the backend."""
    task, _, model = settings.model(COLOURING).partition("/")
    return model if task == LAYER else ""


def _replaced(settings: Settings, own: list[str]) -> str:
    return own[-1] if own and settings.flag("replace_previous") else ""
