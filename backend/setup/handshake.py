"""Greets the daemon for doctor and prints what it answered, as JSON. Runs in the environment."""

from __future__ import annotations

import json
import time

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError


def greet() -> dict[str, object]:
    """Connects (starting the daemon for this only if none runs) and pings it."""
    started = False
    begin = time.perf_counter()
    try:
        client = Client.connect(name="doctor")
    except NuriError as error:
        if error.code is not ErrorCode.unreachable:
            raise
        client, started = Client.connect(start=True, timeout=30.0, name="doctor"), True
    with client:
        client.ping(timeout=5)
        seconds = time.perf_counter() - begin
        welcome = client.welcome
        answer: dict[str, object] = {"started": started, "seconds": seconds}
        if welcome is not None:
            answer |= {
                "version": welcome.version,
                "protocol": welcome.protocol,
                "device": welcome.device,
                "log_file": welcome.log_file,
            }
        if started:
            client.shutdown()
    return answer


def main() -> None:
    """Prints one JSON object: the answer, or `error` with `code`, `message` and `action`."""
    try:
        answer = greet()
    except NuriError as error:
        answer = {"error": error.info.as_facts()}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
