"""Krita is killed in the middle of a colouring; what computes is stopped for a while."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path


def _worker():
    """The child of the daemon."""
    daemon = json.loads(Path(os.environ["NURI_CONNECTION"]).read_text())["pid"]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == daemon:
            return int(path.parent.name)
    raise AssertionError("the daemon has no worker")


def check_killed(stage):
    document, _, _, _ = yield from stage.drawing()
    yield from stage.colorize()
    yield from stage.undo(document)
    document.setBatchmode(True)
    assert document.saveAs(str(stage.root / "crash.kra"))
    worker = _worker()
    os.kill(worker, signal.SIGSTOP)
    wake = ["sh", "-c", f"sleep 2; kill -CONT {worker}"]
    subprocess.Popen(wake, start_new_session=True)
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None or desk.job.job_id, 20, "the job to be sent")
    yield 700
    os.kill(os.getpid(), signal.SIGKILL)
