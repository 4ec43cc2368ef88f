"""What takes long with large buffers is left to threads: nothing of it is done while these wait."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path

from nuri_test_hook.shot import TIMES, make
from PyQt5.QtGui import QImage

from nuri.animation.key_frames import KeyFrame
from nuri.pixels.rows import Pixels
from nuri.teaching.job import _save
from nuri.threads import JOBS

_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()
_MOST_SECONDS = 60


@contextmanager
def _busy():
    """All threads of jobs wait for the event."""
    gate = threading.Event()
    waiting = [JOBS.submit(gate.wait, _MOST_SECONDS) for _ in range(JOBS._max_workers)]
    try:
        yield gate
    finally:
        gate.set()
        assert all(future.result() for future in waiting), "Krita waited for them"


def check_digests_of_frames(stage):
    """Krita's event loop turns while the frames of an animation are looked at."""
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch"}
    shot = yield from make(stage, times=TIMES[:6])
    desk = stage.actions().desk()
    with _busy() as gate:
        stage.trigger("nuri_colorize_animation")
        yield from stage.until(lambda: desk.job.stage == "Reading the frames", 30, "the frames")
        yield 1000
        assert desk.job.stage == "Reading the frames", desk.job.stage
        gate.set()
        yield from stage.until(lambda: desk.job is None, 60, "the animation")
    assert stage.notice()[0] == "done", stage.notice()
    shot.check_rooms(shot.document.nodeByName("Colours"), TIMES[:6])


def check_pictures_for_a_style(stage):
    """The frames that a style is taught on are compressed and written in a thread."""
    folder = stage.root / "lesson"
    folder.mkdir()
    width, height = 30, 300
    # Transparent above, then blue: more than one band of rows.
    data = bytes(4 * width * 200) + bytes((250, 20, 10, 255)) * (width * 100)
    pixels = Pixels(0, 0, width, height, "bgra8", memoryview(bytearray(data)))
    with _busy() as gate:
        work = _save(KeyFrame(7, pixels, pixels, pixels, ("", 7)), folder)
        next(work)
        yield 300
        assert not list(folder.iterdir())
        gate.set()
        yield from work
    for name in ("line_0007.png", "color_0007.png"):
        image = QImage(str(folder / name))
        assert (image.width(), image.height()) == (width, height)
        seen = [image.pixelColor(3, y).getRgb()[:3] for y in (0, 199, 200, 299)]
        assert seen == [(255, 255, 255)] * 2 + [(10, 20, 250)] * 2, seen
