"""What happens while the daemon has a job: one clear message, and nothing is lost or half done."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.processes import held
from nuri_test_hook.stage import daemon_pid


def _begin(stage):
    """Starts a colouring and waits until the daemon has it; the daemon should be stopped."""
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None or desk.job.job_id, 60, "the job to be sent")
    assert desk.job is not None, desk.notice
    yield 100
    return desk.job


def check_cancel(stage):
    """Cancel while the daemon has the job; then the same colouring again works."""
    yield from stage.resize_window(1400, 900)
    document, _, _, _ = yield from stage.drawing()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    before = stage.fingerprint(document)
    with held(daemon_pid()):
        yield from _begin(stage)
        yield 100
        assert stage.widget("nuri_progress").isVisible()
        stage.screenshot("colouring")
        stage.trigger("nuri_cancel_colouring")
        yield 100
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the end of the cancelled job")
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
    with held(daemon_pid()):
        yield from _begin(stage)
        stage.fill(document, hints, b"\x40\x50\x60\xff", *rooms.dots()[0])
        yield from _begin(stage)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the newer job")
    yield 300
    assert stage.notice()[0] == "done", stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Nuri hints"]
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == b"\x40\x50\x60\xff"


def check_layer_deleted(stage):
    document, line, _, _ = yield from stage.drawing()
    with held(daemon_pid()):
        yield from _begin(stage)
        line.remove()
        yield 200
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the end of the job")
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
    with held(daemon_pid()):
        yield from _begin(stage)
        document.setColorSpace(*SPACES["rgba16"][0])
        document.waitForDone()
        yield 200
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the end of the job")
    assert "converted" in stage.notice()[1], stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]


def check_canvas_resized(stage):
    document, _, _, _ = yield from stage.drawing()
    with held(daemon_pid()):
        yield from _begin(stage)
        document.resizeImage(0, 0, 400, 300)
        document.waitForDone()
        yield 200
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the end of the job")
    assert "resized" in stage.notice()[1], stage.notice()
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]


def check_document_closed(stage):
    """A message; and the finished colours are offered when the drawing is opened again."""
    other = stage.document(64, 64)
    document, _, _, rooms = yield from stage.drawing()
    path = str(stage.root / "closed.kra")
    document.setBatchmode(True)
    assert document.saveAs(path)
    with held(daemon_pid()):
        job = yield from _begin(stage)
        # Noted in a file, so that not even a crash of Krita would lose the colours.
        assert job.job_id in (Path(os.environ["NURI_STATE"]) / "krita.json").read_text()
        yield from stage.close(document)
    yield from stage.until(lambda: stage.notice(), 60, "the message")
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "closed" in message, message
    assert "nothing is lost" in remedy, remedy
    assert stage.names(other.rootNode()) == ["Background"]
    again = stage.krita.openDocument(path)
    stage.krita.activeWindow().addView(again)
    again.waitForDone()
    yield from stage.until(lambda: stage.notice(), 30, "the offer")
    assert stage.notice()[3] == "add_kept", stage.notice()
    before, steps = stage.fingerprint(again), stage.history()
    yield 200
    stage.screenshot("colours-waiting")
    stage.widget("nuri_offer_add_kept").click()
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 60, "the kept colours")
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
    old = daemon_pid()
    os.kill(old, signal.SIGSTOP)
    yield from _begin(stage)
    os.kill(old, signal.SIGKILL)
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the message")
    kind, message, remedy, offer = stage.notice()
    assert kind == "error" and remedy and offer == "open_log", (kind, message, remedy, offer)
    assert stage.fingerprint(document) == before
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert daemon_pid() != old
    assert stage.widget("nuri_backend_state").text().startswith("Ready on")
