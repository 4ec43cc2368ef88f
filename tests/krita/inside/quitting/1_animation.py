"""Krita is quit while an animation of 16 bit is coloured."""

from __future__ import annotations

from nuri_test_hook.ending import quit_krita
from nuri_test_hook.shot import colorize_until, make


def check_quit(stage):
    yield from make(stage, space="rgba16", width=640, height=480)
    yield from colorize_until(stage, 3)
    yield from quit_krita()
