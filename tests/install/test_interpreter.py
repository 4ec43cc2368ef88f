"""Programs of an environment are asked, and every way in which they do not answer is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend.setup import interpreter
from protocol.errors import ErrorCode, NuriError

PYTHON = Path(sys.executable)


def refusal(program: Path, code: str, seconds: float = 60) -> NuriError:
    with pytest.raises(NuriError) as caught:
        interpreter.ask(program, "-c", code, seconds=seconds, remedy="Repair it")
    assert caught.value.info.action == "Repair it"
    return caught.value


def test_an_answer_in_any_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "elsewhere")
    code = "import os, sys; print('Töne 色', os.environ.get('PYTHONSTARTUP'), *sys.argv[1:])"
    said = interpreter.ask(PYTHON, "-c", code, Path("a b"), seconds=60)
    assert said.strip() == "Töne 色 None a b"


def test_the_last_words_are_the_reason() -> None:
    error = refusal(PYTHON, "print(1)\nraise OSError('the disk is gone')")
    assert error.code is ErrorCode.internal
    assert error.info.message == "OSError: the disk is gone"
    assert "Traceback" in error.info.detail
    assert refusal(PYTHON, "raise SystemExit(3)").info.message == "no answer"


def test_no_answer_at_all(tmp_path: Path) -> None:
    error = refusal(PYTHON, "import time; time.sleep(600)", seconds=0.5)
    assert (error.code, error.info.message) == (ErrorCode.deadline, "no answer in 0.5 s")
    missing = refusal(tmp_path / "python", "")
    assert missing.code is ErrorCode.not_found
    assert str(tmp_path / "python") in missing.info.message
