"""docs/tasks.md names every task, option and output; docs/code.md names files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.tasks import job
from backend.tasks.drawing_outputs import OUTPUTS

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
CODE = (ROOT / "docs" / "code.md").read_text(encoding="utf-8")
ROOMS = ("protocol", "krita_plugin", "backend")
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


def test_every_file_on_the_way_through_the_code_is_there() -> None:
    there = [path.as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    named = re.findall(r"[\w/]+\.py\b", CODE)
    assert [name for name in named if not any(f"/{name}" in path for path in there)] == []
    assert len(named) > 30
    for name in re.findall(r"\]\(([^)]+)\)", CODE):
        assert (ROOT / "docs" / name).is_file(), name
