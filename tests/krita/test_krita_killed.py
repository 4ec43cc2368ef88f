"""kill -9 of Krita in the middle of a job loses no colours."""

from __future__ import annotations

import signal

import pytest

from .conftest import Theatre

pytestmark = [pytest.mark.krita, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("script", ["crash"])
def test_colours_are_offered_after_a_crash(theatre: Theatre, script: str) -> None:
    killed, after = theatre.outcomes(script)
    assert killed.exit_code == -signal.SIGKILL, killed.checks or killed.log[-3000:]
    assert after.exit_code == 0, after.log[-3000:]
    assert not after.checks["check_offered"]["error"], after.checks["check_offered"]["error"]
