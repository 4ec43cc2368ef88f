"""The hint layer: where the artist paints a few colours for Nuri to spread."""

from __future__ import annotations

from typing import Any

from protocol.errors import ErrorCode, NuriError

from . import guess, layers
from .document import add_empty_layer
from .notice import Offer, OfferError

NAME = "Nuri hints"


def find(document: Any, chosen: str, line: str, own: list[str]) -> Any:
    """The hint layer: the chosen one, else the most likely one. Never the line layer.

    ``chosen``, ``line``: identities of layers or "". Raises `NuriError`: not_found (none there,
    with the offer to make one or to go without), bad_input (lines and hints are the same layer).
    """
    node = layers.find(document, chosen) if chosen else None
    if node is None:
        node = guess.hint_layer(document, line, own)
    if node is None:
        raise OfferError(
            ErrorCode.not_found,
            "There is no hint layer yet",
            "make one and paint a dot or a stroke of colour into each area",
            Offer.new_hint_layer,
            Offer.let_nuri_choose,
        )
    if layers.uid_of(node) == line:
        raise NuriError(
            ErrorCode.bad_input,
            f'The layer "{node.name()}" is chosen for the lines and for the hints',
            "choose two different layers in the Nuri docker",
        )
    return node


def find_painted(document: Any, chosen: str, line: str, own: list[str], *, needed: bool) -> Any:
    """As `find`; where hints are not ``needed``, None for a layer that is absent or empty."""
    if needed:
        return find(document, chosen, line, own)
    try:
        node = find(document, chosen, line, own)
    except OfferError:
        return None
    return None if node.bounds().isEmpty() else node


def create(document: Any, line: Any | None) -> Any:
    """Adds an empty hint layer above the lines, or on top, and makes it the active one.

    One undo step. Returns the layer.
    """
    name = layers.free_name(document, NAME)
    if line is None:
        tops = layers.children(document.rootNode())
        line = tops[-1] if tops else None
    return add_empty_layer(document, name, line)
