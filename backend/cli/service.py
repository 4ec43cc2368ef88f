"""`nuri serve`, `nuri status` and `nuri stop`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict

from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError, one_line
from protocol.folders import connection_path, lock_path
from protocol.lock import is_held
from protocol.messages import Status
from protocol.watch import no_answer

from . import DONE, FAILED
from .report import print_json

_CONNECT_SECONDS = 5.0
_STOP_SECONDS = 10.0


def serve(options: argparse.Namespace) -> int:
    """Run the daemon until it is stopped."""
    from backend.daemon import server

    return server.serve(options.device, options.listen, options.auto)


def status(options: argparse.Namespace) -> int:
    """What the daemon is doing; exit code 1 when none runs."""
    try:
        with Client.connect(timeout=_CONNECT_SECONDS, name="nuri status") as client:
            answer = client.status(_CONNECT_SECONDS)
    except NuriError as error:
        if options.json and error.code is ErrorCode.unreachable:
            print_json({"running": False})
            sys.stderr.write(f"nuri: {error}\n")
            return FAILED
        raise
    if options.json:
        print_json({"running": True, **asdict(answer)})
    else:
        print("\n".join(map(one_line, _status_lines(answer))))
    return DONE


def _status_lines(answer: Status) -> list[str]:
    """Names of documents are the words of others: they may hold anything."""
    worker = answer.worker
    memory = worker.get("memory") or 0
    used = f", {memory / 2**20:.0f} MB" if memory else ""
    since = _duration(answer.uptime)
    lines = [f"Nuri {answer.version} runs on {answer.device}, process {answer.pid}, for {since}"]
    lines.append(f"worker: {worker.get('state', 'unknown')}{used}")
    for job in answer.jobs:
        name = job.get("document") or job.get("job", "")
        lines.append(
            f"job {name}: {job.get('task', '')} {job.get('state', '')} "
            f"{float(job.get('fraction') or 0):.0%} {job.get('stage', '')}".rstrip()
        )
    if not answer.jobs:
        lines.append("no jobs")
    if answer.kept:
        lines.append(f"{len(answer.kept)} finished results kept")
    if answer.log_file:
        lines.append(f"log: {answer.log_file}")
    return lines


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"


def stop(options: argparse.Namespace) -> int:
    """End the daemon and wait until it is gone; nothing to do when none runs."""
    try:
        connection = ConnectionFile.read()
    except NuriError as error:
        if error.code is not ErrorCode.unreachable:
            raise
        return _none_runs()
    if connection.is_stale():
        return _none_runs()
    try:
        with Client.connect(timeout=_CONNECT_SECONDS, name="nuri stop") as client:
            connection = client.connection
            client.shutdown(_CONNECT_SECONDS)
    except NuriError as error:
        if error.code is not ErrorCode.unreachable:
            raise
        # One that leaves by itself has taken its file away.
        if connection_path().exists() and not connection.is_stale():
            raise no_answer(connection) from None
    if not connection.is_local:
        print(f"the daemon at {connection.control} is stopping")
        return DONE
    give_up = time.monotonic() + _STOP_SECONDS
    while not connection.is_stale():
        if time.monotonic() > give_up:
            raise NuriError(
                ErrorCode.unreachable,
                f"the daemon (process {connection.pid}) was told to stop, but is still there",
                "Wait for its job to end, or end the process",
            )
        time.sleep(0.02)
    print("the daemon has stopped")
    return DONE


def _none_runs() -> int:
    lock = lock_path()
    if is_held(lock):
        raise NuriError(
            ErrorCode.unreachable,
            f"a daemon holds {lock}, but cannot be reached",
            "It may be starting or leaving: try again in a moment, else end its process",
        )
    print("no daemon is running")
    return DONE
