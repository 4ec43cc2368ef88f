"""What goes wrong: each time one clear message, and the drawing as it was."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from nuri_test_hook.pictures import SPACES
from PyQt5.QtWidgets import QApplication

BACKEND = os.environ["NURI_BACKEND"]
CONNECTION = Path(os.environ["NURI_CONNECTION"])


def _daemon():
    return json.loads(CONNECTION.read_text())["pid"]


def _unchanged(stage, document, message, kind="error", offer=None):
    """Colorize fails with ``message`` and changes nothing."""
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == kind, notice
    assert message in notice[1], notice
    assert notice[2], "no remedy"
    assert offer is None or notice[3] == offer, notice
    assert stage.fingerprint(document) == before
    assert stage.history() == steps
    assert QApplication.activeModalWidget() is None
    return notice


def _begin(stage):
    """Starts a colouring and waits until the daemon has it; the daemon should be stopped."""
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None or desk.job.job_id, 20, "the job to be sent")
    assert desk.job is not None, desk.notice
    yield 100
    return desk.job


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
    yield from _unchanged(stage, document, 'The hint layer "Nuri hints" is empty')

    def is_shown():
        names = [w.metaObject().className() for w in QApplication.allWidgets() if w.isVisible()]
        return "KisFloatingMessage" in names

    yield from stage.until(is_shown, 3, "the message on the canvas")
    yield 100
    stage.screenshot("message-on-canvas")
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


def check_cancel(stage):
    """Cancel while the daemon has the job; then the same colouring again works."""
    document, _, _, _ = yield from stage.drawing()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    before = stage.fingerprint(document)
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        yield from _begin(stage)
        yield 100
        assert stage.widget("nuri_progress").isVisible()
        stage.screenshot("colouring")
        stage.trigger("nuri_cancel_colouring")
        yield 100
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 10, "the end of the cancelled job")
    notice = stage.notice()
    assert notice[0] == "advice" and "cancelled" in notice[1], notice
    assert stage.fingerprint(document) == before
    assert stage.widget("nuri_colorize_button").isVisible()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    stage.trigger("nuri_cancel_colouring")
    yield 50
    assert "Nothing is being coloured" in stage.notice()[1]


def check_newer_request(stage):
    """Asking again while one runs: one result, of the newer request."""
    document, _, hints, rooms = yield from stage.drawing()
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        yield from _begin(stage)
        stage.fill(document, hints, b"\x40\x50\x60\xff", *rooms.dots()[0])
        yield from _begin(stage)
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 20, "the newer job")
    yield 300
    assert stage.notice()[0] == "done", stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Nuri hints"]
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == b"\x40\x50\x60\xff"


def check_layer_deleted(stage):
    document, line, _, _ = yield from stage.drawing()
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        yield from _begin(stage)
        line.remove()
        yield 200
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 20, "the end of the job")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "line layer has been deleted" in message, message
    assert "nothing is lost" in remedy, remedy
    assert stage.names(document.rootNode()) == ["Background", "Nuri hints"]
    # Undo brings the layer back, and its colours are offered.
    stage.actions().desk().notice = None
    yield from stage.undo(document)
    stage.docker().refresh()
    assert stage.notice()[3] == "add_kept", stage.notice()
    stage.widget("nuri_notice_close").click()
    yield 100
    stage.docker().refresh()
    assert stage.notice() is None


def check_image_converted(stage):
    document, _, _, _ = yield from stage.drawing()
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        yield from _begin(stage)
        document.setColorSpace(*SPACES["rgba16"][0])
        document.waitForDone()
        yield 200
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 20, "the end of the job")
    assert "converted" in stage.notice()[1], stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]


def check_canvas_resized(stage):
    document, _, _, _ = yield from stage.drawing()
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        yield from _begin(stage)
        document.resizeImage(0, 0, 400, 300)
        document.waitForDone()
        yield 200
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 20, "the end of the job")
    assert "resized" in stage.notice()[1], stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]


def check_document_closed(stage):
    """A message; and the finished colours are offered when the drawing is opened again."""
    other = stage.document(64, 64)
    document, _, _, rooms = yield from stage.drawing()
    path = str(stage.root / "closed.kra")
    document.setBatchmode(True)
    assert document.saveAs(path)
    os.kill(_daemon(), signal.SIGSTOP)
    try:
        job = yield from _begin(stage)
        # Noted in a file, so that not even a crash of Krita would lose the colours.
        assert job.job_id in (Path(os.environ["NURI_STATE"]) / "krita.json").read_text()
        yield from stage.close(document)
    finally:
        os.kill(_daemon(), signal.SIGCONT)
    yield from stage.until(lambda: stage.notice(), 20, "the message")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "closed" in message, message
    assert "nothing is lost" in remedy, remedy
    assert stage.names(other.rootNode()) == ["Background"]
    again = stage.krita.openDocument(path)
    stage.krita.activeWindow().addView(again)
    again.waitForDone()
    yield from stage.until(lambda: stage.notice(), 5, "the offer")
    assert stage.notice()[3] == "add_kept", stage.notice()
    before, steps = stage.fingerprint(again), stage.history()
    yield 200
    stage.screenshot("colours-waiting")
    stage.widget("nuri_offer_add_kept").click()
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 20, "the kept colours")
    yield 200
    assert stage.notice()[0] == "done", stage.notice()
    assert stage.pixel(again.nodeByName("Colours"), *rooms.first) == SPACES["rgba8"][2]
    assert stage.fingerprint(again, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    desk.notice = None
    stage.docker().refresh()
    assert stage.notice() is None


def check_daemon_killed(stage):
    """kill -9 in the middle of a job: a message soon, and the next call starts a new daemon."""
    document, _, _, _ = yield from stage.drawing()
    before = stage.fingerprint(document)
    old = _daemon()
    os.kill(old, signal.SIGSTOP)
    yield from _begin(stage)
    os.kill(old, signal.SIGKILL)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 20, "the message")
    kind, message, remedy, offer = stage.notice()
    assert kind == "error" and remedy and offer == "open_log", (kind, message, remedy, offer)
    assert stage.fingerprint(document) == before
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert _daemon() != old
    assert stage.widget("nuri_backend_state").text().startswith("Ready on")


def _start_token():
    from protocol.processes import start_token

    return start_token(os.getpid())
