"""Add them now: finished colours that did not arrive wait until they do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.processes import until_gone
from nuri_test_hook.stage import SleepingBackend, daemon_pid

from nuri import pending
from nuri.pixels.colourspace import SRGB8

_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()


def _miss(stage, document, line):
    """A colouring that ends while its line layer is not there; then the offer to add it."""
    os.kill(daemon_pid(), signal.SIGSTOP)
    try:
        stage.trigger("nuri_colorize_layer")
        desk = stage.actions().desk()
        yield from stage.until(lambda: desk.job is None or desk.job.job_id, 20, "the job")
        yield 100
        line.remove()
        yield 200
    finally:
        os.kill(daemon_pid(), signal.SIGCONT)
    yield from stage.until(lambda: desk.job is None, 60, "the end of the job")
    assert "nothing is lost" in stage.notice()[2], stage.notice()
    yield from stage.undo(document)
    yield from _offered(stage)


def _offered(stage):
    """Who has seen the notice and comes back to the docker gets the offer."""
    stage.actions().desk().notice = None
    stage.docker().refresh()
    yield 100
    assert stage.notice() is not None and stage.notice()[3] == "add_kept", stage.notice()


def _add(stage, seconds=30):
    stage.widget("nuri_offer_add_kept").click()
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, seconds, "the kept colours")
    yield 200
    return stage.notice()


def check_a_failed_or_cancelled_try_can_be_repeated(stage):
    document, line, _, rooms = yield from stage.drawing()
    assert (yield from stage.colorize())[0] == "done"
    yield from stage.undo(document)
    yield from _miss(stage, document, line)
    daemon = daemon_pid()
    os.kill(daemon, signal.SIGTERM)  # it writes down what it keeps before it ends
    yield from until_gone(stage, daemon)
    backend = os.environ["NURI_BACKEND"]
    os.environ["NURI_BACKEND"] = "/nonexistent/nuri"
    try:
        kind, message, remedy, offer = yield from _add(stage)
    finally:
        os.environ["NURI_BACKEND"] = backend
    assert kind == "error" and "/nonexistent/nuri" in message, message
    assert "nothing is lost" in remedy and offer == "install", (remedy, offer)
    yield from _offered(stage)
    with SleepingBackend(stage.root):
        stage.widget("nuri_offer_add_kept").click()
        yield 300
        stage.trigger("nuri_cancel_colouring")
        yield 200
        assert "cancelled" in stage.notice()[1], stage.notice()
    yield from _offered(stage)
    assert (yield from _add(stage))[0] == "done", stage.notice()
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == SPACES["rgba8"][2]
    stage.actions().desk().notice = None
    stage.docker().refresh()
    assert stage.notice() is None


def check_what_the_daemon_has_not_is_forgotten(stage):
    _, line, _, _ = yield from stage.drawing()
    pending.remember("0123456789abcdef", str(line.uniqueId().toString()), SRGB8)
    yield from _offered(stage)
    assert (yield from _add(stage))[0] == "error"
    stage.actions().desk().notice = None
    stage.docker().refresh()
    assert stage.notice() is None


def check_colours_of_another_space_than_the_document(stage):
    """Where a network sees the colours they travel as sRGB, and are taken for that later on."""
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch, so no networks"}
    actions = stage.actions()
    actions.set_model("colouring", "layer/choosing")
    try:
        for space in ("cmyka8", "rgbaf32"):
            document, line, _, rooms = yield from stage.drawing(space)
            assert (yield from stage.colorize())[0] == "done", stage.notice()
            expected = stage.pixels(document, document.nodeByName("Colours"))
            yield from stage.undo(document)
            yield from _miss(stage, document, line)
            assert (yield from _add(stage))[0] == "done", stage.notice()
            found = document.nodeByName("Colours")
            assert any(stage.pixel(found, *rooms.first))
            assert stage.pixels(document, found) == expected, space
    finally:
        actions.set_model("colouring", "")


def check_a_document_converted_meanwhile(stage):
    """Exact colours of another space than the present one are converted, not taken as they are."""
    document, line, _, rooms = yield from stage.drawing("rgba8")
    assert (yield from stage.colorize())[0] == "done"
    yield from stage.undo(document)
    yield from _miss(stage, document, line)
    document.setColorSpace(*SPACES["rgba16"][0])
    document.waitForDone()
    yield 200
    assert (yield from _add(stage))[0] == "done", stage.notice()
    words = [257 * value for value in SPACES["rgba8"][2]]
    pixel = stage.pixel(document.nodeByName("Colours"), *rooms.first)
    assert list(memoryview(pixel).cast("H")) == words
