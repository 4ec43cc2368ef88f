"""Colorize animation with a style that is taught again under its name."""

from __future__ import annotations

import os
from pathlib import Path

from nuri_test_hook.shot import TIMES, colorize, make

_WEIGHTS, _STYLES = Path(os.environ["NURI_WEIGHTS"]), Path(os.environ["NURI_STYLES"])


def check_a_style_that_was_taught_again_colours_anew(stage):
    """While the plugin is connected, by another program: nothing tells it."""
    if not (_WEIGHTS / "manifest.toml").exists():
        return {"left out": "no PyTorch, so no networks"}
    first = (_WEIGHTS / "matching.safetensors").read_bytes()
    low, high = first[-2:]  # of the last weight
    style = _STYLES / "Two rooms.safetensors"
    style.parent.mkdir(exist_ok=True)
    style.write_bytes(first)
    yield from make(stage, times=TIMES[:5])
    stage.actions().set_model("colouring", "layer/style/Two rooms")
    try:
        for weights in (first, first[:-2] + bytes((low ^ 1, high))):
            style.write_bytes(weights)
            notice = yield from colorize(stage)
            assert notice[:2] == ("done", "3 frames coloured from 2"), notice
            assert "up to date" in (yield from colorize(stage))[1]
    finally:
        stage.actions().set_model("colouring", "")
        style.unlink()
