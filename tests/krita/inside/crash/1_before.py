"""Krita is killed in the middle of a colouring: what computes is stopped until Krita has ended."""

from __future__ import annotations

import os
import signal

from nuri_test_hook.processes import worker_pid


def check_killed(stage):
    document, _, _, _ = yield from stage.drawing()
    yield from stage.colorize()
    yield from stage.undo(document)
    document.setBatchmode(True)
    assert document.saveAs(str(stage.root / "crash.kra"))
    # The theatre lets it go on.
    os.kill(worker_pid(), signal.SIGSTOP)
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    is_there = lambda: desk.job is None or desk.job.stage == "Waiting for the backend"  # noqa: E731
    yield from stage.until(is_there, 60, "the daemon to have the job")
    assert desk.job is not None, desk.notice
    os.kill(os.getpid(), signal.SIGKILL)
