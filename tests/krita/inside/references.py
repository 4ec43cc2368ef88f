"""Colorize layer after references: documents, layers and files, chosen in the docker."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from pathlib import Path

from nuri_test_hook.pictures import SPACES, Rooms
from PyQt5.QtWidgets import QApplication, QFileDialog

from nuri.references import of_file

_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()
_NO_TORCH = {"left out": "no PyTorch, so no networks"}
_GROUND, _FIRST, _SECOND = (235, 240, 245), (40, 150, 240), (220, 120, 60)  # blue first
_PAINTS = {bytes((*colour, 255)) for colour in (_GROUND, _FIRST, _SECOND)}
_SIZE = 320, 240


def _paint(stage, document, node, ink=True):
    """A coloured drawing of the rooms."""
    rooms = Rooms(*_SIZE)
    stage.fill(document, node, bytes((*_GROUND, 255)), 0, 0, *_SIZE)
    high = rooms.bottom - rooms.top
    for left, right, colour in (
        (rooms.left, rooms.middle, _FIRST),
        (rooms.middle, rooms.right, _SECOND),
    ):
        stage.fill(document, node, bytes((*colour, 255)), left, rooms.top, right - left, high)
    if ink:
        stage.draw(document, node)


def _png(path):
    """The same drawing as a file, without lines."""
    rooms = Rooms(*_SIZE)

    def pixel(x, y):
        if not (rooms.top <= y < rooms.bottom and rooms.left <= x < rooms.right):
            return _GROUND
        return _FIRST if x < rooms.middle else _SECOND

    rows = b"".join(
        b"\0" + b"".join(bytes(pixel(x, y)[::-1]) for x in range(_SIZE[0])) for y in range(_SIZE[1])
    )

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", *_SIZE, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _menu(stage, name):
    """The entries that a menu of the docker shows when it opens, by their text."""
    menu = next(w for w in QApplication.allWidgets() if w.objectName() == name)
    menu.aboutToShow.emit()
    return {entry.text().strip(): entry for entry in menu.actions()}


def _add(stage, text):
    _menu(stage, "nuri_add_reference_menu")[text].trigger()


def _lines(stage, space="rgba8"):
    """A document with the rooms in ink, and nothing else of use."""
    (model, depth, profile), ink, *_ = SPACES[space]
    document = stage.document(*_SIZE, model, depth, profile)
    rooms = stage.draw(document, stage.layer(document, "Ink"), ink)
    stage.refresh(document)
    return document, rooms


def _colours_follow(stage, document, rooms):
    """Colorize layer gives paints of the reference alone, in one step, and changes nothing."""
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    for place in (rooms.first, rooms.second):
        assert stage.pixel(colours, *place) in _PAINTS, stage.pixel(colours, *place)
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    yield from stage.undo(document)
    assert stage.fingerprint(document) == before
    return notice


def check_another_document(stage):
    if not _HAS_NETWORKS:
        return _NO_TORCH
    yield from stage.resize_window(1400, 900)
    sample = stage.document(*_SIZE)
    _paint(stage, sample, stage.layer(sample, "Painted"))
    sample.setName("Model sheet")
    stage.refresh(sample)
    state = stage.fingerprint(sample)
    document, rooms = _lines(stage)
    yield 300
    _add(stage, "Model sheet")
    yield 100
    picture = stage.widget("nuri_reference_picture_0").pixmap()
    assert picture is not None and not picture.isNull()
    notice = yield from _colours_follow(stage, document, rooms)
    assert stage.fingerprint(sample) == state
    yield from stage.close(sample)
    notice_gone = yield from stage.colorize()
    assert notice_gone[0] == "error" and '"Model sheet" has been closed' in notice_gone[1]
    yield 500  # the docker scrolls to the news
    yield from stage.click("nuri_remove_reference_0")
    assert stage.actions().desk().references == []
    return {"notice": notice}


def check_a_layer_and_hints(stage):
    """The layer is hidden and has no lines; one room has a hint, which is exact."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    document, rooms = _lines(stage)
    sample = stage.layer(document, "Painted & done")
    _paint(stage, document, sample, ink=False)
    sample.setVisible(False)
    stage.trigger("nuri_new_hint_layer")
    yield 100
    stage.refresh(document)
    _add(stage, "Painted && done")
    yield from _colours_follow(stage, document, rooms)
    hint = SPACES["rgba8"][2]
    stage.fill(document, document.nodeByName("Nuri hints"), hint, *rooms.dots()[0])
    stage.refresh(document)
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == hint
    assert stage.pixel(colours, *rooms.second) in {*_PAINTS, hint}
    assert stage.fingerprint(document, skip=["Colours"]) == before


def check_a_file_by_its_dialog(stage):
    if not _HAS_NETWORKS:
        return _NO_TORCH
    path = stage.root / "sheet.png"
    _png(path)
    document, rooms = _lines(stage)
    yield 200
    _add(stage, "Picture file…")
    yield from stage.until(lambda: _dialogs(), 5, "the dialog")
    dialog = _dialogs()[0]
    dialog.filesSelected.emit([str(path)])
    dialog.reject()
    yield 200
    (reference,) = stage.actions().desk().references
    assert (reference.key, reference.name) == (str(path), "sheet.png")
    yield from _colours_follow(stage, document, rooms)
    path.unlink()
    notice = yield from stage.colorize()
    assert notice[0] == "error" and str(path) in notice[1] and notice[2], notice


def check_a_file_on_a_slow_disk(stage):
    """Krita's event loop turns while a job waits for the file: here for who writes into a pipe."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    drawing, pipe = stage.root / "sheet-3.png", stage.root / "slow.png"
    _png(drawing)
    os.mkfifo(pipe)
    document, rooms = _lines(stage)
    yield 200
    stage.actions().add_reference(of_file(pipe))
    desk = stage.actions().desk()
    # Without it a Krita that waits would wait for ever.
    rescue = threading.Timer(20, pipe.write_bytes, [drawing.read_bytes()])
    rescue.start()
    stage.trigger("nuri_colorize_layer")
    yield from stage.until(lambda: desk.job.stage == "Reading slow.png", 30, "the reference's turn")
    yield 200
    assert rescue.is_alive(), "Krita waited for the file"
    rescue.cancel()
    pipe.write_bytes(drawing.read_bytes())
    yield from stage.until(lambda: desk.job is None, 60, "the colours")
    assert stage.notice()[0] == "done", stage.notice()
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) in _PAINTS


def _dialogs():
    found = QApplication.allWidgets()
    return [w for w in found if isinstance(w, QFileDialog) and w.isVisible()]


def check_documents_of_other_spaces(stage):
    """Sixteen bits, grey and CMYK: references come as sRGB and go into the document's own space."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    path = stage.root / "sheet-2.png"
    _png(path)
    found = {}
    for space in ("rgba16", "rgbaf32", "graya8", "cmyka8"):
        document, rooms = _lines(stage, space)
        yield 100
        _add(stage, "Picture file…")
        yield from stage.until(lambda: _dialogs(), 5, "the dialog")
        _dialogs()[0].filesSelected.emit([str(path)])
        _dialogs()[0].reject()
        before = stage.fingerprint(document)
        notice = yield from stage.colorize()
        assert notice[0] == "done", (space, notice)
        colours = document.nodeByName("Colours")
        assert colours.colorDepth() == document.colorDepth()
        assert colours.colorModel() == document.colorModel()
        pixel = stage.pixel(colours, *rooms.first)
        assert any(pixel), space
        if space == "rgba16":
            high = bytes(pixel[1::2])
            assert high in _PAINTS, high
            yield from stage.undo(document)
            hints = stage.layer(document, "Hints")
            stage.fill(document, hints, SPACES[space][2], *rooms.dots()[0])
            stage.refresh(document)
            before = stage.fingerprint(document)
            yield from stage.colorize()
            colours = document.nodeByName("Colours")
            assert stage.pixel(colours, *rooms.first) == SPACES[space][2]  # to the last bit
        assert stage.fingerprint(document, skip=["Colours"]) == before
        found[space] = pixel.hex()
    return found


def check_how_it_looks(stage):
    """Several references with thumbnails, and the models in one line each."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    yield from stage.resize_window(1400, 900)
    sample = stage.document(*_SIZE)
    _paint(stage, sample, stage.layer(sample, "Painted"))
    sample.setName("Model sheet")
    stage.refresh(sample)
    document, _ = _lines(stage)
    extra = stage.layer(document, "A layer with a rather long name that has no room")
    _paint(stage, document, extra, ink=False)
    stage.refresh(document)
    yield 300
    _add(stage, "Model sheet")
    _add(stage, "A layer with a rather long name that has no room")
    _add(stage, "Model sheet")  # once is enough
    yield 300
    assert len(stage.actions().desk().references) == 2
    name = stage.widget("nuri_reference_name_1")
    assert "…" in name.text() and extra.name() in name.toolTip()
    extra.setVisible(False)
    stage.refresh(document)
    docker = stage.docker()
    docker.setFloating(True)
    docker.widget().window().setGeometry(300, 120, 340, 420)
    yield 600
    stage.screenshot("references")
    stage.actions().connect_backend()
    yield from stage.until(lambda: stage.actions().backend.models, 30, "the models")
    entries = _menu(stage, "nuri_models_menu")
    matching = next(text for text in entries if text.startswith("matching: "))
    absent = next(text for text in entries if text.startswith("ibn_gan: "))
    assert "not installed" in absent and not entries[absent].isEnabled()
    yield from stage.click("nuri_models")
    yield 300
    stage.screenshot("models")
    yield from stage.mouse("key", "Escape")
    docker.setFloating(False)
    entries = _menu(stage, "nuri_models_menu")
    entries[matching].trigger()
    assert stage.actions().model("colouring") == "layer/matching"
    assert stage.widget("nuri_models").text() == "matching"
    stage.actions().desk().references.clear()
    notice = yield from stage.colorize()
    assert "no hint layer yet" in notice[1], notice
    _menu(stage, "nuri_models_menu")["Automatic"].trigger()
    stage.actions().set_model("colouring", "")
    return {"models": sorted(entries)}
