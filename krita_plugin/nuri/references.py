"""Coloured drawings that a colouring follows: an open document, a layer, or a picture file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage

from . import layers
from .document import find_document, key_of, when_idle
from .pixels.colourspace import SRGB8, ColourSpace
from .pixels.hidden import HiddenCopy
from .pixels.rendering import Rendering
from .pixels.rows import plane_of, read_rows
from .pixels.snapshot import Snapshot
from .qt import QRect
from .steps import Work
from .threads import JOBS, in_thread

READABLE = "*.png *.jpg *.jpeg *.webp *.tif *.tiff *.kra *.ora"
_REMEDY = "remove it from the references in the Nuri docker"


class Kind(Enum):
    """What a reference is."""

    document = "document"
    layer = "layer"
    file = "file"


@dataclass(frozen=True)
class Reference:
    """``document``: identity of the document; ``key``: of the layer, or the path of the file.

    Two are equal when they mean the same picture. ``name``: for people.
    """

    kind: Kind
    document: str
    key: str
    name: str


def of_document(document: Any) -> Reference:
    return Reference(Kind.document, key_of(document), "", name_of(document))


def of_layer(document: Any, node: Any) -> Reference:
    return Reference(Kind.layer, key_of(document), layers.uid_of(node), node.name())


def of_file(path: Path) -> Reference:
    return Reference(Kind.file, "", str(path), path.name)


def name_of(document: Any) -> str:
    """The file name of a document, or its title, or a word for one that has neither."""
    return Path(document.fileName()).name or document.name() or "Not saved"


def read(reference: Reference, name: str, time: int | None = None) -> Work:
    """The picture as it travels, called ``name``; returns a `Plane`.

    ``time``: the frame of an animated layer, by default the one that is shown.
    Raises `NuriError`: not_found (it has gone), bad_input (nothing painted, file unreadable).
    """
    if reference.kind is Kind.file:
        return (yield from in_thread(JOBS, _file, reference, name))
    if find_document(reference.document) is None:
        raise NuriError(
            ErrorCode.not_found, f'The reference "{reference.name}" has been closed', _REMEDY
        )
    document = yield from when_idle(reference.document)
    if reference.kind is Kind.layer:
        if layers.find(document, reference.key) is None:
            message = f'The reference layer "{reference.name}" has been deleted'
            raise NuriError(ErrorCode.not_found, message, _REMEDY)
        with Snapshot(document, reference.key, progress=lambda part: None, time=time) as snapshot:
            pixels = yield from snapshot.read_reference(reference.key)
    else:
        with HiddenCopy(document) as hidden:
            whole = hidden.document
            whole.waitForDone()
            yield from Rendering(hidden).whole(document.currentTime())
            area = QRect(0, 0, whole.width(), whole.height())
            spaces = ColourSpace.of(whole), SRGB8
            pixels = yield from read_rows(hidden, whole.pixelData, area, area, spaces)
    return plane_of(name, pixels)


def _file(reference: Reference, name: str) -> EncodedImage:
    """Runs in a thread."""
    path = Path(reference.key)
    try:
        if path.stat().st_size > limits.BUFFER_BYTES:
            message = f"{path} is larger than {limits.BUFFER_BYTES // 2**20} MB"
            raise NuriError(ErrorCode.too_large, message, "save it smaller")
        return EncodedImage(name, path.name, path.read_bytes())
    except OSError as error:
        message = f"The reference {path} cannot be read: {error.strerror}"
        raise NuriError(ErrorCode.not_found, message, _REMEDY) from None
