"""Messages check their values when they are built."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.messages import (
    MESSAGES,
    Accepted,
    Cancelled,
    Credit,
    Fetch,
    Frame,
    Limits,
    Message,
    Ping,
    Progress,
    Result,
    Status,
    Submit,
    Welcome,
)

from .examples import EXAMPLES, picture


def named(message: Message) -> str:
    return message.TYPE


def test_every_message_has_an_example() -> None:
    assert {type(example) for example in EXAMPLES} == set(MESSAGES.values())
    assert [message.TYPE for message in MESSAGES.values()] == list(MESSAGES)


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_every_field_refuses_a_value_of_another_type(example: Message) -> None:
    for entry in fields(example):  # type: ignore[arg-type]
        for wrong in (object(), b"bytes", [object()], {1: 2}, float("nan"), "\ud800", None):
            with pytest.raises(NuriError) as caught:
                replace(example, **{entry.name: wrong})  # type: ignore[type-var]
            assert caught.value.code in (ErrorCode.malformed, ErrorCode.too_large), entry.name


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_messages_are_frozen(example: Message) -> None:
    for entry in fields(example):  # type: ignore[arg-type]
        with pytest.raises(FrozenInstanceError):
            setattr(example, entry.name, None)


@pytest.mark.parametrize("name", ["", "a b", "ä", "../x", "a" * 65, "a\n"])
def test_job_ids_are_plain_words(name: str) -> None:
    with pytest.raises(NuriError):
        Fetch(job=name)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Progress, {"job": "j", "fraction": 1.0001}),
        (Progress, {"job": "j", "fraction": -0.1}),
        (Progress, {"job": "j", "fraction": True}),
        (Accepted, {"job": "j", "window": 0}),
        (Accepted, {"job": "j", "window": limits.WINDOW + 1}),
        (Credit, {"job": "j", "count": 0}),
        (Fetch, {"job": "j", "frame": -2}),
        (Fetch, {"job": "j", "frame": limits.FRAMES}),
        (Frame, {"job": "j", "index": -1}),
        (Frame, {"job": "j", "index": limits.FRAMES}),
        (Frame, {"job": "j", "index": 0, "info": {"a": float("nan")}}),
        (Frame, {"job": "j", "index": 0, "info": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}}),
        (Ping, {"nonce": -1}),
        (Submit, {"job": "j", "task": "t", "deadline": 0}),
        (Submit, {"job": "j", "task": "t", "deadline": float("inf")}),
        (Submit, {"job": "j", "task": "t", "deadline": limits.DEADLINE_SECONDS + 1}),
        (Submit, {"job": "j", "task": "t", "frames": limits.FRAMES + 1}),
        (Submit, {"job": "j", "task": "t", "frames": True}),
        (Submit, {"job": "j", "task": "t t"}),
        (Submit, {"job": "j", "task": "t", "lane": "fast"}),
        (Submit, {"job": "j", "task": "t", "document": "d" * (limits.TEXT + 1)}),
        (Submit, {"job": "j", "task": "t", "options": {"a": {"b": 1}}}),
        (Submit, {"job": "j", "task": "t", "options": {"a": [[1]]}}),
        (Submit, {"job": "j", "task": "t", "options": {"a": float("nan")}}),
        (Submit, {"job": "j", "task": "t", "options": {"a": 2**64}}),
        (Submit, {"job": "j", "task": "t", "options": {"a": "x" * (limits.OPTION_TEXT + 1)}}),
        (Submit, {"job": "j", "task": "t", "options": {"a": [0] * (limits.OPTION_LIST + 1)}}),
        (Submit, {"job": "j", "task": "t", "options": {str(i): 1 for i in range(65)}}),
        (Submit, {"job": "j", "task": "t", "inputs": (picture("a"), picture("a"))}),
        (Submit, {"job": "j", "task": "t", "inputs": tuple(picture(str(i)) for i in range(65))}),
        (Result, {"job": "j", "info": {"a": float("inf")}}),
        (Result, {"job": "j", "info": {"a": b"raw"}}),
        (Result, {"job": "j", "info": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}}),
        (Status, {"version": "1", "pid": 1, "device": "", "uptime": 1, "jobs": [{}] * 257}),
        (Limits, {"side": 0}),
        (Limits, {"window": 1.5}),
    ],
)
def test_values_out_of_range_are_refused(kind: type[Any], values: dict[str, Any]) -> None:
    with pytest.raises(NuriError) as caught:
        kind(**values)
    assert caught.value.code in (ErrorCode.malformed, ErrorCode.too_large)
    assert caught.value.info.action


def test_values_at_the_limit_are_taken() -> None:
    Progress(job="j" * limits.NAME, fraction=1, seconds_left=-1)
    Frame(job="j", index=limits.FRAMES - 1)
    Submit(
        job="j",
        task="t",
        options={f"{i:064}": ["x"] * 10 for i in range(limits.OPTIONS)},
        inputs=tuple(picture(str(i)) for i in range(limits.BUFFERS)),
        deadline=limits.DEADLINE_SECONDS,
        frames=limits.FRAMES,
    )
    Result(job="j", info={"a": {"b": {"c": {"d": {"e": 2**64 - 1}}}}})
    Welcome(
        protocol="1.0",
        version="",
        session="s",
        pid=0,
        device="",
        models=[{}] * limits.MODELS,
        tasks=["t"] * limits.TASKS,
    )
    Cancelled(job="j", reason="r" * limits.TEXT)


def test_announced_limits_are_checked() -> None:
    Limits(side=5).check([picture(width=5, height=5)])
    for bound in (Limits(side=4), Limits(pixels=24), Limits(buffer_bytes=99)):
        with pytest.raises(NuriError, match="picture line") as caught:
            bound.check([picture(width=5, height=5)])
        assert caught.value.code is ErrorCode.too_large
    with pytest.raises(NuriError):
        Limits(message_bytes=119).check([picture("a"), picture("b")])
