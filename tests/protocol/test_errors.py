"""Errors stay one line, are safe to print, and survive every way they take."""

from __future__ import annotations

import pickle

import pytest

from protocol import limits
from protocol.errors import ErrorCode, ErrorInfo, NuriError


def test_text_of_an_error() -> None:
    assert str(NuriError(ErrorCode.busy, "It is busy", "Wait")) == "It is busy (Wait)"
    assert str(NuriError(ErrorCode.busy, "It is busy")) == "It is busy"


def test_messages_become_one_clean_line() -> None:
    hostile = "layer \x1b[31mred\x07\r\n\tname \u202e"
    info = ErrorInfo(ErrorCode.bad_input, hostile, hostile, "two\nlines\x1b")
    for text in (info.message, info.action):
        assert text.isprintable()
        assert text.startswith("layer ?[31mred? name")
    assert info.detail == "two\nlines?"


def test_long_texts_are_cut_not_refused() -> None:
    info = ErrorInfo(ErrorCode.internal, "m" * 10**6, "a" * 10**6, "start" + "d" * 10**6, "j" * 99)
    assert len(info.message) == len(info.action) == limits.MESSAGE
    assert len(info.detail) == limits.DETAIL
    assert len(info.job) == limits.NAME


def test_an_error_survives_pickling() -> None:
    error = NuriError(ErrorCode.no_memory, "too big", "Make it small", detail="d", job="j")
    assert pickle.loads(pickle.dumps(error)).info == error.info


def test_an_unknown_code_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="sunshine"):
        ErrorInfo("sunshine", "x")  # type: ignore[arg-type]


def test_an_error_as_facts_and_back() -> None:
    info = ErrorInfo(ErrorCode.bad_input, "no lines", "Draw some", "detail", "job")
    assert info.as_facts() == {"code": "bad_input", "message": "no lines", "action": "Draw some"}
    again = ErrorInfo.from_facts(info.as_facts())
    assert again == ErrorInfo(ErrorCode.bad_input, "no lines", "Draw some")


def test_facts_of_a_newer_peer_still_tell_the_user() -> None:
    facts = {"code": "sunshine", "message": "too bright\n", "more": 1}
    assert ErrorInfo.from_facts(facts) == ErrorInfo(ErrorCode.internal, "too bright")
    assert ErrorInfo.from_facts({}) == ErrorInfo(ErrorCode.internal, "")
