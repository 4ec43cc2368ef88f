"""What peers of other versions say, and names that are meant to deceive who reads them."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from protocol.errors import ErrorCode
from protocol.messages import Error, Hello, Refused, Welcome
from protocol.version import PROTOCOL_VERSION

from .house import House, Stranger, small, until

FORGED = "bad\x1b[31m\n2026-01-01 00:00:00,000 INFO forged line\x9b2J"


def ask(stranger: Stranger, socket: Any, header: dict[str, Any]) -> Any:
    socket.send(msgpack.packb(header))
    return stranger.hear(socket)


@pytest.mark.parametrize("more", [{}, {"protocol": "2.0"}, {"protocol": 7, "session": [1]}])
def test_a_greeting_of_another_age_is_refused_by_its_version(
    shared: House, more: dict[str, Any]
) -> None:
    body = {"protocol": "2.0", "client": "krita", "pid": "many"}
    with Stranger(shared.file()) as stranger:
        answer = ask(stranger, stranger.control, {"type": "hello", "body": body, **more})
    assert isinstance(answer, Refused)
    assert "the client krita speaks 2.0" in answer.message
    assert "Update the backend" in answer.action


def test_a_bare_greeting_of_this_age_is_welcome(shared: House) -> None:
    body = {"protocol": PROTOCOL_VERSION, "client": "krita"}
    with Stranger(shared.file()) as stranger:
        answer = ask(stranger, stranger.control, {"type": "hello", "body": body})
    assert isinstance(answer, Welcome)


@pytest.mark.parametrize(
    ("name", "kind", "body", "reply_to"),
    [
        ("control", "hello", {"protocol": PROTOCOL_VERSION}, "hello"),
        ("control", "ping", {"nonce": "x"}, "ping"),
        ("control", "cancel", {"job": "no good"}, "cancel"),
        ("control", "teleport", {}, "teleport"),
        ("work", "submit", {"job": "no good", "task": "flats"}, "submit"),
        ("work", "submit", {"job": "good", "task": "no good"}, "good"),
        ("work", "no name", {}, ""),
    ],
)
def test_an_error_says_what_it_replies_to(
    shared: House, name: str, kind: str, body: dict[str, Any], reply_to: str
) -> None:
    header = {"protocol": PROTOCOL_VERSION, "type": kind, "session": "", "body": body}
    with Stranger(shared.file()) as stranger:
        answer = ask(stranger, getattr(stranger, name), header)
    assert isinstance(answer, Error)
    assert answer.code in (ErrorCode.malformed, ErrorCode.unsupported)
    assert answer.reply_to == reply_to


def test_names_neither_forge_lines_of_the_log_nor_steer_a_terminal(shared: House) -> None:
    client = shared.client(FORGED[:64])
    client.submit("flats", small(), document=FORGED).result(60)
    with Stranger(shared.file()) as stranger:
        stranger.say(stranger.control, Hello(protocol="2.0", client=FORGED[:64]))
        refusal = stranger.hear(stranger.control)
    assert isinstance(refusal, Refused)
    assert refusal.message.isprintable()
    until(lambda: "refused" in shared.log(), "the line of the log")
    lines = shared.log().splitlines()
    assert any("client bad?[31m" in line for line in lines)
    assert not any(line.startswith("2026-01-01 00:00:00,000") for line in lines)
    assert all(line.isprintable() for line in lines)
