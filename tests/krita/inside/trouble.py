"""What is missing or does not fit: each time one clear message, and the drawing as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

from PyQt5.QtWidgets import QApplication

BACKEND = os.environ["NURI_BACKEND"]
CONNECTION = Path(os.environ["NURI_CONNECTION"])


def _unchanged(stage, document, message, kind="error", offer=None):
    """Colorize fails with ``message`` and changes nothing."""
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    _is_unchanged(stage, document, before, steps)
    assert notice[0] == kind, notice
    assert message in notice[1], notice
    assert notice[2], "no remedy"
    assert offer is None or notice[3] == offer, notice
    return notice


def _is_unchanged(stage, document, before, steps):
    assert stage.fingerprint(document) == before
    assert stage.history() == steps
    assert QApplication.activeModalWidget() is None


def check_loaded(stage):
    """The plugin is there: menu entries in their submenu, a docker that fits low screens."""
    yield from stage.resize_window(1400, 900)
    menu = stage.widget("nuri_menu")
    texts = ["Colorize layer", "Colorize animation", "Teach this style…", "Mark doubtful areas"]
    texts += ["Colorize grey painting", "Extract lines", "New hint layer", "Cancel colouring"]
    assert [action.text() for action in menu.actions()] == texts
    assert stage.docker().isVisible()
    assert stage.docker().minimumSizeHint().height() <= 250
    assert stage.widget("nuri_backend_state").text() == "Backend starts when needed"
    unnamed = [w for w in stage.docker().widget().widget().children() if not w.objectName()]
    assert [w for w in unnamed if w.isWidgetType() and type(w).__name__ != "QLabel"] == []
    stage.screenshot("docker-empty")


def check_no_document(stage):
    stage.trigger("nuri_colorize_layer")
    yield 100
    kind, message, remedy, _ = stage.notice()
    assert (kind, message) == ("error", "No document is open")
    assert "open a drawing" in remedy
    stage.trigger("nuri_new_hint_layer")
    stage.trigger("nuri_cancel_colouring")
    yield 100
    assert QApplication.activeModalWidget() is None


def check_backend_missing(stage):
    document, _, _, _ = yield from stage.drawing()
    os.environ["NURI_BACKEND"] = "/nonexistent/nuri"
    try:
        notice = yield from _unchanged(stage, document, "/nonexistent/nuri", offer="install")
        assert "install.py" in notice[2]
        stage.docker().refresh()
        assert stage.widget("nuri_backend_state").text() == "Backend not installed"
        button = stage.widget("nuri_offer_install")
        assert button.isVisible() and button.text() == "How to install…"
        button.click()
        yield 300
        dialog = stage.widget("nuri_install_dialog")
        assert dialog.isVisible() and not dialog.isModal()
        stage.screenshot("backend-missing")
        dialog.close()
    finally:
        os.environ["NURI_BACKEND"] = BACKEND
    stage.docker().refresh()
    assert stage.widget("nuri_backend_state").text() == "Backend starts when needed"


def check_backend_of_another_version(stage):
    document, _, _, _ = yield from stage.drawing()
    CONNECTION.write_text(
        json.dumps(
            {
                "protocol": "99.0",
                "version": "42.0",
                "work": f"ipc://{CONNECTION.parent}/w",
                "control": f"ipc://{CONNECTION.parent}/c",
                "pid": os.getpid(),
                "started": _start_token(),
                "host": os.uname().nodename,
            }
        )
    )
    CONNECTION.chmod(0o600)
    try:
        notice = yield from _unchanged(stage, document, "99.0")
        assert "42.0" in notice[1] and "update" in notice[2].lower(), notice
    finally:
        CONNECTION.unlink()


def check_no_hint_layer(stage):
    document = stage.document(320, 240)
    stage.draw(document, stage.layer(document, "Ink"))
    stage.refresh(document)
    yield 200
    yield from _unchanged(stage, document, "no hint layer", "advice", "new_hint_layer")
    button = stage.widget("nuri_offer_new_hint_layer")
    assert button.isVisible() and button.text() == "New hint layer"
    button.click()
    yield 300
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]
    assert document.activeNode().name() == "Nuri hints"


def check_empty_hints(stage):
    document, _, _, _ = yield from stage.drawing(paint_hints=False)
    yield from _unchanged(stage, document, 'The hint layer "Nuri hints" is empty')


def check_message_without_docker(stage):
    """Who has closed the docker gets the message over the canvas."""
    document, _, _, _ = yield from stage.drawing(paint_hints=False)
    stage.docker().hide()
    before, steps = stage.fingerprint(document), stage.history()

    def is_shown():
        # Krita's own messages, such as that of the zoom, are a third as wide.
        shown = [w for w in QApplication.allWidgets() if w.isVisible() and w.width() > 300]
        return "KisFloatingMessage" in [w.metaObject().className() for w in shown]

    stage.trigger("nuri_colorize_layer")
    # It comes a moment after the notice and stays for some seconds: nothing else is done before.
    yield from stage.until(is_shown, 30, "the message on the canvas")
    stage.screenshot("message-on-canvas")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and 'The hint layer "Nuri hints" is empty' in message, stage.notice()
    assert remedy, "no remedy"
    _is_unchanged(stage, document, before, steps)
    stage.docker().show()


def check_hints_off_canvas_alone(stage):
    document, _, hints, _ = yield from stage.drawing(paint_hints=False)
    stage.fill(document, hints, b"\x00\x00\xff\xff", -50, -50, 40, 40)
    yield from _unchanged(stage, document, 'The hint layer "Nuri hints" is empty')


def check_blank_line_layer(stage):
    document, line, _, _ = yield from stage.drawing()
    line.setPixelData(bytes(4 * 320 * 240), 0, 0, 320, 240)
    stage.refresh(document)
    yield from _unchanged(stage, document, 'The layer "Ink" is blank')


def check_white_line_layer(stage):
    """Opaque white has pixels but no lines; the backend tells."""
    document, line, _, _ = yield from stage.drawing()
    line.setPixelData(b"\xff" * (4 * 320 * 240), 0, 0, 320, 240)
    stage.refresh(document)
    yield from _unchanged(stage, document, "blank")


def check_same_layer_twice(stage):
    document, line, _, _ = yield from stage.drawing()
    uid = line.uniqueId().toString()
    stage.actions().desk().line = stage.actions().desk().hints = uid
    yield from _unchanged(stage, document, "chosen for the lines and for the hints")


def _start_token():
    from protocol.processes import start_token

    return start_token(os.getpid())
