"""Quitting Krita in the middle of a job: it ends at once, and no pictures stay on the disk."""

from __future__ import annotations

import pytest

from .conftest import Theatre

pytestmark = [pytest.mark.krita, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("script", ["quitting"])
def test_krita_ends_and_leaves_nothing(theatre: Theatre, script: str) -> None:
    *quit_early, after = theatre.outcomes(script)
    for outcome in quit_early:
        assert outcome.exit_code == 0, outcome.checks or outcome.log[-3000:]
        assert not outcome.checks, "it should have ended before the check"
    assert after.exit_code == 0, after.log[-3000:]
    assert not after.checks["check_nothing_is_left"]["error"], after.checks
