"""A small picture of what came out: the colours and the lines over them."""

from __future__ import annotations

from typing import Any

from .colourspace import SRGB8, ColourSpace, convert
from .document import Pixels
from .qt import QImage, QPainter, Qt
from .samples import sample

SIDE = 256
# Lines are sampled finer than shown and scaled down smoothly, or thin ones would break up.
_LINE_SIDE = 4 * SIDE


def compose(
    hidden: Any, line: Pixels, colours: Pixels, space: ColourSpace, on_paper: bool
) -> QImage:
    """At most SIDE pixels a side. ``line``: bgra8; ``colours``: pixels of ``space``, same size.

    ``hidden``: a document that nobody sees, for Krita's colour management.
    """
    width, height, data = sample(colours, SIDE)
    data = bytes(convert(hidden, data, width, height, space, SRGB8))
    flat = QImage(data, width, height, 4 * width, QImage.Format.Format_ARGB32)
    line_width, line_height, data_of_line = sample(line, _LINE_SIDE)
    ink = QImage(
        data_of_line, line_width, line_height, 4 * line_width, QImage.Format.Format_ARGB32
    ).scaled(
        width,
        height,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    painter.drawImage(0, 0, flat)
    if on_paper:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
    painter.drawImage(0, 0, ink)
    painter.end()
    return picture
