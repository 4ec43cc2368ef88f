"""How tests watch a client: polled like Krita's timer does, and asked for the code of its error."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Message


def poll_until(client: Client, done: Callable[[], Any]) -> list[Message]:
    """Polls as Krita's timer does; the test's own timeout ends it when nothing comes."""
    seen: list[Message] = []
    while not done():
        seen += client.poll()
        time.sleep(0.002)
    return seen


def code_of(action: Callable[[], Any]) -> ErrorCode:
    with pytest.raises(NuriError) as caught:
        action()
    assert caught.value.info.action or caught.value.code is ErrorCode.cancelled
    return caught.value.code
