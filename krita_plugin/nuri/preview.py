"""A small picture of what came out: the colours and the lines over them."""

from __future__ import annotations

from .pixels.colourspace import SRGB8, ColourSpace, convert
from .pixels.hidden import HiddenCopy
from .pixels.rows import Pixels
from .pixels.samples import sample
from .qt import QImage, QPainter, Qt
from .steps import Work

SIDE = 256
_BAND = 128  # rows
_FINER = 4  # times as fine as shown lines are sampled, or thin ones would break up


def compose(
    hidden: HiddenCopy,
    line: Pixels,
    colours: Pixels,
    space: ColourSpace,
    on_paper: bool,
    side: int = SIDE,
) -> Work:
    """Returns a `QImage`, at most ``side`` pixels a side.

    ``line``: bgra8; ``colours``: pixels of ``space``, same size. ``hidden``: for Krita's colour
    management.
    """
    line_width, line_height, line_data = sample(line, _FINER * side)
    yield 0
    width, height, data = sample(colours, side)
    if not space.is_srgb8:
        data = yield from convert(hidden, data, space, SRGB8)
    yield 0
    ink = QImage(line_data, line_width, line_height, 4 * line_width, QImage.Format.Format_ARGB32)
    ink = ink.scaled(
        width,
        height,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    yield 0
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    painter.drawImage(0, 0, QImage(data, width, height, 4 * width, QImage.Format.Format_ARGB32))
    if on_paper:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
    painter.drawImage(0, 0, ink)
    painter.end()
    return picture


def on_white(hidden: HiddenCopy, pixels: Pixels, space: ColourSpace, side: int = SIDE) -> Work:
    """Returns a `QImage` of ``pixels`` of ``space`` on white, ``side`` pixels on its long side."""
    width, height, data = sample(pixels, _FINER * side)
    if not space.is_srgb8:
        data = yield from convert(hidden, data, space, SRGB8)
    yield 0
    picture = whitened(width, height, data)
    return picture.scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def whitened(width: int, height: int, data: bytes | memoryview) -> QImage:
    """Pixels of bgra8 in sRGB on white."""
    # PyQt takes any buffer and says bytes
    image = QImage(data, width, height, 4 * width, QImage.Format.Format_ARGB32)  # type: ignore[arg-type]
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    # In bands, between which other Python code can run.
    for y in range(0, height, _BAND):
        painter.drawImage(0, y, image, 0, y, width, _BAND)
    painter.end()
    return picture
