"""Processes: alive, dead, or another one under a recycled pid."""

from __future__ import annotations

from typing import Any

from protocol.processes import UNKNOWN_START, is_running, start_token


def test_processes_are_told_apart(child: Any) -> None:
    token = start_token(child.pid)
    assert token
    assert token == start_token(child.pid)
    assert is_running(child.pid, token)
    assert is_running(child.pid, UNKNOWN_START)
    assert not is_running(child.pid, token + "0")
    assert not is_running(0, "")
    assert not is_running(-1, token)
    assert start_token(2**22 + 5) == ""
