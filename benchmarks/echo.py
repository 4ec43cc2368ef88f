"""The daemon with a worker that has a task "echo": the transport alone.

echo.py daemon | worker
"""

from __future__ import annotations

import sys

from backend.tasks import job
from protocol.connection import make_private_folder, state_folder


def echo(request: job.Request) -> job.Outcome:
    """Every input as an output."""
    return job.Outcome(tuple(request.inputs.values()))


def serve() -> int:
    """The daemon as `nuri serve` runs it, with this file as its worker."""
    from backend.daemon.logs import open_log
    from backend.daemon.memory import keep_freed_memory
    from backend.daemon.server import Server

    keep_freed_memory()
    make_private_folder(state_folder())
    log_file = open_log(state_folder(), on_terminal=True)
    server = Server("cpu", None, log_file, worker_command=[sys.executable, __file__, "worker"])
    try:
        server.run(None)
    finally:
        server.close()
    return 0


def main() -> int:
    if sys.argv[1] == "daemon":
        return serve()
    from backend.daemon import worker

    job.TASKS["echo"] = echo
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
