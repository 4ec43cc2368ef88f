"""docs/tasks.md names every task, every option and every output that the tasks read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.tasks import job
from backend.tasks.drawing_outputs import OUTPUTS

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
READ = re.compile(r"request\.(?:text|texts|flag|numbers)\(\s*\"(\w+)\"")


def test_every_task_has_a_section() -> None:
    assert re.findall(r"^## (\w+)$", TEXT, re.MULTILINE) == sorted(
        job.TASKS, key=lambda task: TEXT.index(f"## {task}\n")
    )


def options() -> list[str]:
    sources = (ROOT / "backend" / "tasks").glob("*.py")
    return sorted({name for path in sources for name in READ.findall(path.read_text())})


@pytest.mark.parametrize("name", [*options(), *OUTPUTS])
def test_every_option_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT
