"""A worker with one task more, "frail", which gives back what it got, and its own process id.

Frames whose facts say ``deadly`` end the process, those that say ``bad`` fail alone.
"""

from __future__ import annotations

import os
import signal

from backend.daemon import worker
from backend.tasks import job
from backend.tasks.request import Outcome, Request

# For a daemon with this worker, which starts again without long waits.
PROLOGUE = (
    "import sys; from backend.daemon import supervision;"
    "supervision.BACK_OFF_SECONDS = (0.01, 0.02, 0.03);"
    "supervision.worker_command = lambda: [sys.executable, '-m', 'tests.backend.daemon.frail'];"
)


def _frail(request: Request) -> Outcome:
    if request.facts.get("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    if request.facts.get("bad"):
        return Outcome((), {}, {"error": {"code": "bad_input", "message": "bad", "action": ""}})
    facts = {**request.facts, "pid": os.getpid()}
    return Outcome(tuple(request.inputs.values()), {"warnings": ["seen"]}, facts)


if __name__ == "__main__":
    job.TASKS["frail"] = _frail
    job.warm_up = lambda: None
    os._exit(worker.main())
