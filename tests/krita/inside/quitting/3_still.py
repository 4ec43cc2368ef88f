"""Krita is quit while a drawing of 16 bit is coloured for the first time, backend and all."""

from __future__ import annotations

from nuri_test_hook.ending import quit_krita
from nuri_test_hook.stage import kill_daemon


def check_quit(stage):
    yield from stage.drawing(space="rgba16", width=640, height=480)
    kill_daemon()
    stage.trigger("nuri_colorize_layer")
    yield 1500
    yield from quit_krita()
