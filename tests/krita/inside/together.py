"""Several jobs while the backend starts: one connects, others wait, and each can be cancelled."""

from __future__ import annotations

import os
from contextlib import contextmanager

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.processes import without_daemon
from nuri_test_hook.stage import SleepingBackend

_FIRST = SPACES["rgba8"][2]
_BACKEND = os.environ["NURI_BACKEND"]


@contextmanager
def _start_held(stage, command):
    """A backend that waits with its shell ``command`` until what this yields is called."""
    gate = stage.root / "gate"
    gate.unlink(missing_ok=True)
    wait = f'while [ ! -e "{gate}" ]; do sleep 0.1; done'
    with SleepingBackend(stage.root, f"{wait}\n{command}"):
        yield gate.touch


def _begin(stage):
    """A drawing whose colouring has been asked for; returns its document, rooms and desk."""
    document, _, _, rooms = yield from stage.drawing()
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    yield from stage.until(lambda: stage.actions().backend.state.name == "starting", 30, "a start")
    return document, rooms, desk


def _ends(stage, *desks):
    yield from stage.until(lambda: not any(desk.job for desk in desks), 60, "the colourings")
    yield 200


def check_two_documents_at_once(stage):
    with _start_held(stage, f'exec "{_BACKEND}" "$@"') as go_on:
        first, rooms, one = yield from _begin(stage)
        second, _, other = yield from _begin(stage)
        assert one.job is not None and other.job is not None, (one.notice, other.notice)
        go_on()
        yield from _ends(stage, one, other)
    for document, desk in ((first, one), (second, other)):
        assert desk.notice.kind.value == "done", desk.notice
        assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == _FIRST


def check_one_that_waits_is_cancelled(stage):
    """And one that connects: the next one takes over."""
    yield from without_daemon(stage)
    with SleepingBackend(stage.root):
        _, _, one = yield from _begin(stage)
        document, rooms, other = yield from _begin(stage)
        stage.trigger("nuri_cancel_colouring")
        yield 200
        assert other.job is None and "cancelled" in other.notice.message, other.notice
        assert one.job is not None, one.notice
        stage.trigger("nuri_colorize_layer")
        yield 300
    one.job.cancel()
    yield 200
    assert one.job is None and "cancelled" in one.notice.message, one.notice
    assert other.job is not None, other.notice
    yield from _ends(stage, other)
    assert other.notice.kind.value == "done", other.notice
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == _FIRST


def check_all_hear_that_there_is_no_backend(stage):
    yield from without_daemon(stage)
    with _start_held(stage, "exit 1") as go_on:
        _, _, one = yield from _begin(stage)
        _, _, other = yield from _begin(stage)
        go_on()
        yield from _ends(stage, one, other)
    for desk in (one, other):
        assert desk.notice.kind.value == "error" and "did not start" in desk.notice.message
