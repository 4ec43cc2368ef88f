"""Small pictures of references; making one never holds up Krita's event loop for long."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from . import layers
from .document import find_document
from .qt import QImage, QImageReader, QSize, Qt
from .references import Kind, Reference
from .steps import Work
from .threads import PICTURES, in_thread

SIDE = 64
_SAMPLES = 4 * SIDE
# Rows of a document that are converted to sRGB in one step: 20 ms for floats at 4096 pixels.
_ROWS_PER_STEP = 16
# Small pictures of themselves that these files carry.
_PREVIEWS = ("preview.png", "Thumbnails/thumbnail.png")
_KEEP, _SMOOTH = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation


def thumbnail(reference: Reference) -> Work:
    """A `QImage`, `SIDE` pixels on its long side; a null one where there is none.

    Krita's Qt decides which files it can read: often neither WebP nor TIFF.
    """
    image = QImage()
    if reference.kind is Kind.file:
        image = yield from in_thread(PICTURES, _of_file, Path(reference.key))
    elif (document := find_document(reference.document)) is not None:
        if reference.kind is Kind.document:
            image = yield from _of_document(document)
        elif (node := layers.find(document, reference.key)) is not None:
            image = node.thumbnail(SIDE, SIDE)
    return image if image.isNull() else image.scaled(SIDE, SIDE, _KEEP, _SMOOTH)


def _of_document(document: Any) -> Work:
    """A few rows: Krita's own thumbnail of a document takes a second at 4096 x 4096."""
    width, height = document.width(), document.height()
    step = -(-max(width, height) // _SAMPLES)
    rows = []
    for number, y in enumerate(range(0, height, step), 1):
        row = document.projection(0, y, width, 1).convertToFormat(QImage.Format.Format_ARGB32)
        if row.isNull():
            return row  # closed meanwhile
        raw = row.constBits().asarray(row.sizeInBytes())
        rows.append(memoryview(bytes(raw)).cast("I")[::step].tobytes())
        if number % _ROWS_PER_STEP == 0:
            yield 0
    shown = len(rows[0]) // 4
    image = QImage(b"".join(rows), shown, len(rows), 4 * shown, QImage.Format.Format_ARGB32)
    return image.copy()  # it does not own the bytes


def _of_file(path: Path) -> QImage:
    """Runs in a thread, which a pipe would hold for ever."""
    if not path.is_file():
        return QImage()
    try:
        if not zipfile.is_zipfile(path):
            return _small(path)
        with zipfile.ZipFile(path) as archive:
            found = [name for name in _PREVIEWS if name in archive.namelist()]
            return QImage.fromData(archive.read(found[0])) if found else QImage()
    except (OSError, zipfile.BadZipFile):
        return QImage()


def _small(path: Path) -> QImage:
    """Scaled while it is read, which makes a JPEG ten times as fast."""
    reader = QImageReader(str(path))
    size = reader.size()
    if max(size.width(), size.height()) > _SAMPLES:
        # A very narrow picture keeps its one column.
        reader.setScaledSize(size.scaled(_SAMPLES, _SAMPLES, _KEEP).expandedTo(QSize(1, 1)))
    return reader.read()
