"""The daemon with a worker that has a task "echo": the transport alone.

echo.py daemon | worker
"""

from __future__ import annotations

import sys

from backend.tasks import job
from backend.tasks.request import Outcome, Request


def echo(request: Request) -> Outcome:
    """Every input as an output."""
    return Outcome(tuple(request.inputs.values()))


def serve() -> int:
    """The daemon as `nuri serve` runs it, with this file as its worker."""
    from backend.daemon import server, supervision

    supervision.worker_command = lambda: [sys.executable, __file__, "worker"]
    return server.serve()


def main() -> int:
    if sys.argv[1] == "daemon":
        return serve()
    from backend.daemon import worker

    job.TASKS["echo"] = echo
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
