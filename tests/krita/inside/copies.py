"""Create Copy From Current Image keeps all identities; the copy is a document of its own."""

from __future__ import annotations

import os
import signal

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.stage import daemon_pid

_FIRST = SPACES["rgba8"][2]


def _copy(stage, document):
    stage.krita.action("create_copy").trigger()
    yield 500
    copy = stage.krita.activeDocument()
    assert copy != document
    assert copy.rootNode().uniqueId() == document.rootNode().uniqueId()
    return copy


def check_a_copy_gets_its_own_colours(stage):
    document, _, _, rooms = yield from stage.drawing()
    original = stage.actions().desk()
    original.hints = "of the original"
    copy = yield from _copy(stage, document)
    assert stage.actions().desk() is not original
    assert stage.actions().desk().hints == ""
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert document.nodeByName("Colours") is None
    assert stage.pixel(copy.nodeByName("Colours"), *rooms.first) == _FIRST
    own = stage.actions().desk()
    yield from stage.close(document)
    assert stage.actions().desk() is own
    assert (yield from stage.colorize())[0] == "done"
    assert copy.nodeByName("Colours 2") is not None


def check_the_original_is_closed_while_it_is_coloured(stage):
    """Its colours do not come into the copy."""
    document, _, _, _ = yield from stage.drawing()
    assert (yield from stage.colorize())[0] == "done"
    yield from stage.undo(document)
    os.kill(daemon_pid(), signal.SIGSTOP)
    try:
        stage.trigger("nuri_colorize_layer")
        desk = stage.actions().desk()
        yield from stage.until(lambda: desk.job is None or desk.job.job_id, 20, "the job")
        copy = yield from _copy(stage, document)
        yield from stage.close(document)
    finally:
        os.kill(daemon_pid(), signal.SIGCONT)
    yield from stage.until(lambda: desk.job is None, 20, "the end of the job")
    yield 200
    assert "closed" in desk.notice.message, desk.notice
    assert copy.nodeByName("Colours") is None
