"""Coloured drawings that a colouring follows: an open document, a layer, or a picture file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage

from . import layers
from .colourspace import SRGB8, ColourSpace
from .document import Snapshot, find_document, key_of, when_idle
from .hidden import HiddenCopy
from .qt import QImage, QRect, Qt
from .rows import plane_of, read_rows
from .steps import Work

SIDE = 64  # of a thumbnail
_SAMPLES = 4 * SIDE
READABLE = "*.png *.jpg *.jpeg *.webp *.tif *.tiff *.kra *.ora"
# Small pictures of themselves that these files carry.
_PREVIEWS = ("preview.png", "Thumbnails/thumbnail.png")
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

    def is_there(self) -> bool:
        """False when its document, layer or file has gone."""
        if self.kind is Kind.file:
            return Path(self.key).is_file()
        document = find_document(self.document)
        if document is None:
            return False
        return self.kind is Kind.document or layers.find(document, self.key) is not None


def of_document(document: Any) -> Reference:
    return Reference(Kind.document, key_of(document), "", name_of(document))


def of_layer(document: Any, node: Any) -> Reference:
    return Reference(Kind.layer, key_of(document), layers.uid_of(node), node.name())


def of_file(path: Path) -> Reference:
    return Reference(Kind.file, "", str(path), path.name)


def name_of(document: Any) -> str:
    """The file name of a document, or its title, or a word for one that has neither."""
    return Path(document.fileName()).name or document.name() or "Not saved"


def thumbnail(reference: Reference) -> QImage:
    """A small picture of it; a null one where there is none."""
    image = QImage()
    if reference.kind is Kind.file:
        image = _thumbnail_of_file(Path(reference.key))
    elif (document := find_document(reference.document)) is not None:
        if reference.kind is Kind.document:
            image = _thumbnail_of_document(document)
        elif (node := layers.find(document, reference.key)) is not None:
            image = node.thumbnail(SIDE, SIDE)
    if image.isNull():
        return image
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(SIDE, SIDE, ratio, smooth)


def _thumbnail_of_document(document: Any) -> QImage:
    """Krita's own takes most of a second at 4096 x 4096; a few rows of 8 bit sRGB are enough."""
    if not ColourSpace.of(document).is_srgb8:
        return document.thumbnail(SIDE, SIDE)
    width, height = document.width(), document.height()
    step = -(-max(width, height) // _SAMPLES)
    rows = [
        memoryview(bytes(document.pixelData(0, y, width, 1))).cast("I")[::step].tobytes()
        for y in range(0, height, step)
    ]
    shown = len(rows[0]) // 4
    image = QImage(b"".join(rows), shown, len(rows), 4 * shown, QImage.Format.Format_ARGB32)
    return image.copy()  # it does not own the bytes


def _thumbnail_of_file(path: Path) -> QImage:
    try:
        if not zipfile.is_zipfile(path):
            return QImage(str(path))
        with zipfile.ZipFile(path) as archive:
            found = [name for name in _PREVIEWS if name in archive.namelist()]
            return QImage.fromData(archive.read(found[0])) if found else QImage()
    except (OSError, zipfile.BadZipFile):
        return QImage()


def read(reference: Reference, name: str) -> Work:
    """The picture as it travels, called ``name``; returns a `Plane`.

    Raises `NuriError`: not_found (it has gone), bad_input (nothing painted, file unreadable).
    """
    if reference.kind is Kind.file:
        yield 0
        return _file(reference, name)
    if find_document(reference.document) is None:
        raise NuriError(
            ErrorCode.not_found, f'The reference "{reference.name}" has been closed', _REMEDY
        )
    document = yield from when_idle(reference.document)
    if reference.kind is Kind.layer:
        if layers.find(document, reference.key) is None:
            message = f'The reference layer "{reference.name}" has been deleted'
            raise NuriError(ErrorCode.not_found, message, _REMEDY)
        with Snapshot(document, reference.key, progress=lambda part: None) as snapshot:
            pixels = yield from snapshot.read_reference(reference.key)
    else:
        with HiddenCopy(document) as hidden:
            whole = hidden.document
            whole.waitForDone()
            area = QRect(0, 0, whole.width(), whole.height())
            spaces = ColourSpace.of(whole), SRGB8
            pixels = yield from read_rows(hidden, whole.pixelData, area, area, spaces)
    return plane_of(name, pixels)


def _file(reference: Reference, name: str) -> EncodedImage:
    path = Path(reference.key)
    try:
        if path.stat().st_size > limits.BUFFER_BYTES:
            message = f"{path} is larger than {limits.BUFFER_BYTES // 2**20} MB"
            raise NuriError(ErrorCode.too_large, message, "save it smaller")
        return EncodedImage(name, path.name, path.read_bytes())
    except OSError as error:
        message = f"The reference {path} cannot be read: {error.strerror}"
        raise NuriError(ErrorCode.not_found, message, _REMEDY) from None
