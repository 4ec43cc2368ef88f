"""Teach this style: learnt from coloured frames or pages, chosen, used; cancelled; refused."""

from __future__ import annotations

import os
from pathlib import Path

from nuri_test_hook.pictures import SPACES, Rooms
from nuri_test_hook.shot import TIMES, colorize, make
from PyQt5.QtWidgets import QApplication

_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()
_NO_TORCH = {"left out": "no PyTorch, so no networks"}
_STYLES = Path(os.environ["NURI_STYLES"])


def _teach(stage, name):
    """The menu entry, a name and Teach."""
    stage.trigger("nuri_teach_style")
    yield 100
    field, button = stage.widget("nuri_teach_name"), stage.widget("nuri_teach_button")
    field.setText("a/b")
    assert not button.isEnabled()
    field.setText(name)
    assert button.isEnabled()
    stage.screenshot("teaching-dialog")
    button.click()
    yield 100
    assert not any(w.objectName() == "nuri_teach_dialog" for w in QApplication.topLevelWidgets())


def check_a_style_is_taught_chosen_and_used(stage):
    if not _HAS_NETWORKS:
        return _NO_TORCH
    yield from stage.resize_window(1400, 900)
    times = TIMES[:8]
    shot = yield from make(stage, times=times, painted=times[:6])
    before, steps, actions = shot.artist(), stage.history(), stage.actions()
    yield from _teach(stage, "Two rooms")
    assert actions.teaching.job is not None, stage.notice()
    shown = set()

    def is_over():
        if actions.teaching.job is not None:
            shown.add(actions.teaching.job.stage)
        return actions.teaching.job is None

    # Other work goes on meanwhile.
    notice = yield from colorize(stage)
    assert notice[0] == "done" and "2 frames coloured from 6" in notice[1], notice
    yield from stage.until(is_over, 240, "the style")
    kind, message, remedy, _ = stage.notice()
    assert kind == "done" and '"Two rooms" has learnt from 6 frames' in message, stage.notice()
    assert "chosen under Model" in remedy
    assert any("Learning" in text for text in shown), shown
    assert (_STYLES / "Two rooms.safetensors").is_file()
    assert actions.model("colouring") == "layer/style/Two rooms"
    try:
        yield from stage.until(lambda: actions.backend.models, 20, "the models")
        known = {model["id"] for model in actions.backend.models}
        assert "style/Two rooms" in known, known
        assert actions.desk().preview.width() > 100
        stage.docker().refresh()
        yield 200
        stage.screenshot("teaching-done")
        notice = yield from colorize(stage)
        assert notice[0] == "done" and "2 frames coloured from 6" in notice[1], notice
    finally:
        actions.set_model("colouring", "")
    assert stage.history() == [*steps, "Add Layer", "Add Layer"]
    for _ in range(2):
        yield from stage.undo(shot.document)
    assert shot.artist() == before
    return {"stages": sorted(shown)[:4], "remedy": remedy}


def check_teaching_is_cancelled(stage):
    if not _HAS_NETWORKS:
        return _NO_TORCH
    yield from make(stage, times=TIMES[:6], painted=TIMES[:4])
    yield from _teach(stage, "Never")
    teaching = stage.actions().teaching
    yield from stage.until(lambda: "Look" in teaching.job.stage, 30, "the process")
    yield 1500
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: teaching.job is None, 30, "the end")
    assert "cancelled; there is no new style" in stage.notice()[1], stage.notice()
    assert not (_STYLES / "Never.safetensors").exists()
    assert stage.actions().model("colouring") == ""


def check_too_few_frames_are_refused(stage):
    yield from make(stage, times=TIMES[:4], painted=TIMES[:1])
    yield from _teach(stage, "Lonely")
    yield from stage.until(lambda: stage.actions().teaching.job is None, 30, "the answer")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "1 frame is coloured; a style needs 2" in message, message
    assert "colour some frames" in remedy
    assert not (_STYLES / "Lonely.safetensors").exists()


def _page(stage, number):
    """A still drawing of two rooms with colours of the artist's, on a layer of a plain name."""
    width, height = 320 + 16 * number, 240
    document = stage.document(width, height)
    line, paint = stage.layer(document, "Ink"), stage.layer(document, "Paint")
    yield 200
    rooms = Rooms(width, height)
    stage.draw(document, line)
    for (x, _), colour in zip((rooms.first, rooms.second), SPACES["rgba8"][2:], strict=True):
        left = rooms.left if x == rooms.first[0] else rooms.middle
        stage.fill(
            document, paint, colour, left, rooms.top, rooms.middle - rooms.left,
            rooms.bottom - rooms.top,
        )  # fmt: skip
    stage.refresh(document)
    stage.actions().desk().hints = paint.uniqueId().toString()
    yield 100
    return document


def check_a_style_is_taught_on_pages(stage):
    if not _HAS_NETWORKS:
        return _NO_TORCH
    documents, before = [], []
    for number in range(3):
        document = yield from _page(stage, number)
        documents.append(document)
        before.append(stage.fingerprint(document))
    actions = stage.actions()
    yield from _teach(stage, "Pages of rooms")
    yield from stage.until(lambda: actions.teaching.job is None, 240, "the style")
    kind, message, remedy, _ = stage.notice()
    try:
        assert kind == "done" and "has learnt from 3 pages" in message, stage.notice()
        assert (_STYLES / "Pages of rooms.safetensors").is_file()
        assert actions.model("colouring") == "layer/style/Pages of rooms"
    finally:
        actions.set_model("colouring", "")
    assert [stage.fingerprint(document) for document in documents] == before
    for document in documents[1:]:
        yield from stage.close(document)
    return {"remedy": remedy}


def check_a_single_page_is_refused(stage):
    others = stage.krita.documents()
    yield from _page(stage, 0)
    for document in others:
        yield from stage.close(document)
    yield from _teach(stage, "One page")
    yield from stage.until(lambda: stage.actions().teaching.job is None, 30, "the answer")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "1 page is coloured; a style needs 2" in message, message
    assert "open some coloured pages" in remedy
    assert not (_STYLES / "One page.safetensors").exists()
