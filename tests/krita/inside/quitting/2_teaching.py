"""Krita is quit while a style is learnt from the artist's frames."""

from __future__ import annotations

from nuri_test_hook.ending import quit_krita
from nuri_test_hook.shot import make


def check_quit(stage):
    yield from make(stage, times=(0, 2, 4, 6, 8, 10), painted=(0, 2, 4, 6))
    teaching = stage.actions().teaching
    stage.trigger("nuri_teach_style")
    yield 100
    stage.widget("nuri_teach_name").setText("Never learnt")
    stage.widget("nuri_teach_button").click()
    yield from stage.until(lambda: "Looking" in teaching.job.stage, 60, "the process")
    yield 500
    yield from quit_krita()
