"""Large pictures to colour, to draw and to follow: how long the event loop is held up; noted."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.stage import GapWatch
from PyQt5.QtCore import QRect
from PyQt5.QtGui import QColor, QImage, QPainter
from PyQt5.QtWidgets import QLabel

SIDE = 4096
FILE_SIDE = 6000
_LEFT, _RIGHT = (220, 120, 60), (40, 150, 240)
_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()


def _shaded(stage, document, name):
    """A layer of stripes in every grey, so that hardly two runs of pixels are alike."""
    node = stage.layer(document, name)
    row = b"".join(bytes(((x // 5 + x * x // 977) % 256,) * 3) + b"\xff" for x in range(SIDE))
    for y in range(0, SIDE, 64):
        start = 4 * (y * 7 % SIDE)
        node.setPixelData((row[start:] + row[:start]) * 64, 0, y, SIDE, 64)
    stage.refresh(document)
    yield 1500
    return node


def _watched(stage, action):
    watch, began = GapWatch(), time.monotonic()
    trace = stage.trace_stages(watch)
    notice = yield from stage.perform(action, 120)
    seconds = time.monotonic() - began
    gaps = watch.stop()
    assert notice[0] == "done", notice
    return {
        "longest ms": [round(gap, 1) for gap in gaps[:5]],
        "longest gap by stage ms": trace,
        "seconds": round(seconds, 2),
    }


def check_a_grey_painting(stage):
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch"}
    document = stage.document(SIDE, SIDE)
    painting = yield from _shaded(stage, document, "Painting")
    yield from stage.activate(document, painting)
    before = stage.fingerprint(document)
    facts = yield from _watched(stage, "nuri_colorize_grey")
    assert stage.fingerprint(document, skip=["Colours"]) == before
    return facts


def check_lines(stage):
    document = stage.document(SIDE, SIDE)
    painting = yield from _shaded(stage, document, "Painting")
    yield from stage.activate(document, painting)
    before = stage.fingerprint(document)
    facts = yield from _watched(stage, "nuri_extract_lines")
    assert stage.fingerprint(document, skip=["Lines"]) == before
    return facts


def check_a_reference(stage):
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch"}
    sample = stage.document(SIDE, SIDE)
    sample.setName("Large sheet")
    node = stage.layer(sample, "Painted")
    stage.fill(sample, node, SPACES["rgba8"][2], 0, 0, SIDE, SIDE // 2)
    stage.fill(sample, node, SPACES["rgba8"][3], 0, SIDE // 2, SIDE, SIDE // 2)
    stage.refresh(sample)
    document = stage.document(320, 240)
    stage.draw(document, stage.layer(document, "Ink"))
    stage.refresh(document)
    yield 1500
    menu = stage.widget("nuri_add_reference_menu")
    watch = GapWatch()
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text() == "Large sheet").trigger()
    yield 200
    added = watch.stop()[0]
    facts = yield from _watched(stage, "nuri_colorize_layer")
    return {"adding ms": round(added, 1), **facts}


def _picture_file(stage, name):
    """Two colours side by side, under thin stripes that keep it from being trivial to read."""
    image = QImage(FILE_SIDE, FILE_SIDE, QImage.Format.Format_RGB32)
    half = FILE_SIDE // 2
    painter = QPainter(image)
    painter.fillRect(QRect(0, 0, half, FILE_SIDE), QColor(*_LEFT))
    painter.fillRect(QRect(half, 0, half, FILE_SIDE), QColor(*_RIGHT))
    for x in range(7, FILE_SIDE, 211):
        painter.drawLine(x, 0, (x * 7919) % FILE_SIDE, FILE_SIDE)
    painter.end()
    path = stage.root / name
    assert image.save(str(path))
    return path


def _dialog(stage):
    """The docker's dialog for picture files."""
    menu = stage.widget("nuri_add_reference_menu")
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text() == "Picture file…").trigger()
    yield 600
    return stage.widget("nuri_reference_file_dialog")


def _shown(row, number=0):
    """The picture of a reference in the docker, and whether it is a thumbnail yet."""
    picture = row.findChild(QLabel, f"nuri_reference_picture_{number}")
    return picture.pixmap().toImage(), picture.pixmap().width() == picture.width()


def _is_coloured(image, left, right):
    """Both halves have about their colours; thin lines and JPEG change them a little."""
    middle = image.height() // 2
    seen = image.pixelColor(image.width() // 4, middle), image.pixelColor(24, middle)
    return all(
        abs(one - other) < 24
        for colour, wanted in zip(seen, (left, right), strict=True)
        for one, other in zip(colour.getRgb()[:3], wanted, strict=True)
    )


def _watched_thumbnail(stage, add, left, right):
    """Longest gaps in ms from ``add`` until the thumbnail is there, in a later turn than that."""
    row = stage.widget("nuri_references")
    watch = GapWatch()
    add()
    assert not _shown(row)[1], "read while Krita waited"
    yield from stage.until(lambda: _shown(row)[1], 30, "the thumbnail")
    gaps = watch.stop()
    assert _is_coloured(_shown(row)[0], left, right)
    stage.actions().desk().references.clear()
    stage.actions().changed.emit()
    yield 100
    assert stage.widget("nuri_no_references").isVisible()
    return [round(gap, 1) for gap in gaps[:3]]


def check_thumbnails_of_files(stage):
    """Facts: the longest gaps while the thumbnails of large files are made."""
    stage.document(320, 240)
    longest = {}
    for name in ("large.png", "large.jpg"):
        path = str(_picture_file(stage, name))
        dialog = yield from _dialog(stage)
        add = partial(dialog.filesSelected.emit, [path])
        longest[name] = yield from _watched_thumbnail(stage, add, _LEFT, _RIGHT)
        dialog.reject()
    return {"longest ms": longest}


def check_references_that_leave_while_they_are_read(stage):
    """Neither the docker nor Krita minds; what is there is read all the same."""
    stage.document(320, 240)
    path = _picture_file(stage, "large-2.png")
    unreadable = stage.root / "drawing.webp"
    unreadable.write_bytes(b"RIFF\x1a\0\0\0WEBPVP8L")
    dialog = yield from _dialog(stage)
    dialog.filesSelected.emit([str(path), str(unreadable)])
    dialog.reject()
    yield 50
    row = stage.widget("nuri_references")
    large, other = stage.actions().desk().references
    stage.actions().remove_reference(large)
    yield 50
    stage.actions().add_reference(large)
    yield from stage.until(lambda: _shown(row, 1)[1], 30, "the thumbnail")
    assert not _shown(row, 0)[1]
    stage.actions().remove_reference(other)
    yield 50
    assert _shown(row, 0)[1], "the one that moves up keeps its picture"


def check_thumbnails_of_documents(stage):
    """Facts: the longest gaps while the thumbnails of large documents are made."""
    longest = {}
    for space in ("rgba8", "rgba16", "rgbaf32", "cmyka8"):
        (model, depth, profile), _, left, right = SPACES[space]
        sample = stage.document(SIDE, SIDE, model, depth, profile)
        sample.setName(f"Large {space}")
        node = stage.layer(sample, "Painted")
        for x, colour in ((0, left), (SIDE // 2, right)):
            for y in range(0, SIDE, SIDE // 4):
                stage.fill(sample, node, colour, x, y, SIDE // 2, SIDE // 4)
        stage.refresh(sample)
        looks = sample.projection(0, 0, SIDE, 1)
        wanted = [looks.pixelColor(x, 0).getRgb()[:3] for x in (0, SIDE - 1)]
        stage.document(320, 240)
        yield 3000
        menu = stage.widget("nuri_add_reference_menu")
        menu.aboutToShow.emit()
        entry = next(entry for entry in menu.actions() if entry.text() == f"Large {space}")
        longest[space] = yield from _watched_thumbnail(stage, entry.trigger, *wanted)
        yield from stage.close(sample)
    return {"longest ms": longest}


def check_quitting_while_pictures_are_read(stage):
    """The last check: Krita quits after it, cleanly."""
    stage.document(320, 240)
    paths = [str(_picture_file(stage, f"last-{number}.png")) for number in range(4)]
    dialog = yield from _dialog(stage)
    dialog.filesSelected.emit(paths)
    assert not _shown(stage.widget("nuri_references"), 3)[1]
