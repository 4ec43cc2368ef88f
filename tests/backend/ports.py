"""Ports for `--listen`."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

_Served = TypeVar("_Served")
_ATTEMPTS = 20


def on_free_ports(serve: Callable[[int], _Served]) -> _Served:
    """What ``serve`` gives for a port that is free, as is the next; it begins to listen on both.

    Somebody else may have come first when it fails with an AssertionError of those words: it is
    called with another port then.
    """
    for _ in range(_ATTEMPTS):
        try:
            return serve(free_ports())
        except AssertionError as error:
            if "Cannot open tcp://" not in str(error):
                raise
    raise AssertionError(f"{_ATTEMPTS} times somebody else had taken the port")


def free_ports() -> int:
    """A port that is free at this moment, as is the next."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
