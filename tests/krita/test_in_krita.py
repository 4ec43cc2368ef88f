"""Every check of the scripts in inside/, as a test of its own; one start of Krita per script."""

from __future__ import annotations

import ast
import json
import os

import pytest

from .conftest import INSIDE, Theatre
from .harness import OUTPUT, Outcome

pytestmark = [pytest.mark.krita, pytest.mark.slow, pytest.mark.timeout(600)]


def _checks() -> list[tuple[str, str]]:
    """(script, check) of all scripts, in the order in which they run."""
    found = []
    for path in sorted(INSIDE.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("check_"):
                found.append((path.stem, node.name))
    wanted = os.environ.get("NURI_TEST_ONLY")
    return [entry for entry in found if not wanted or entry[1] in wanted.split(",")]


@pytest.mark.parametrize(("script", "check"), _checks())
def test_check(theatre: Theatre, script: str, check: str) -> None:
    outcome = theatre.outcome(script)
    assert check in outcome.checks, _what_happened(outcome)
    entry = outcome.checks[check]
    assert not entry["error"], entry["error"]
    assert not entry["strays"], "\n".join(entry["strays"])
    if entry["facts"]:
        facts = {"check": check, **entry["facts"]}
        (OUTPUT / f"{script}-{check}.json").write_text(json.dumps(facts, indent=1))
        print(json.dumps(facts))


@pytest.mark.parametrize("script", sorted({script for script, _ in _checks()}))
def test_krita_quits_cleanly(theatre: Theatre, script: str) -> None:
    outcome = theatre.outcome(script)
    assert outcome.exit_code == 0, _what_happened(outcome)
    assert not outcome.checks["strays"]


def _what_happened(outcome: Outcome) -> str:
    return (
        f"Krita ended with {outcome.exit_code} after {outcome.seconds:.0f} s "
        f"(None: it hung; see test-output/timeout.png):\n{outcome.log[-3000:]}"
    )
