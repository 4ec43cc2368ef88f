from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

from backend.setup import console, pip, project, torch_build
from backend.setup.environment import MARKER_NAME, Environment
from protocol.errors import ErrorCode, NuriError

from .conftest import Home, Story

TOO_OLD = """
import runpy, sys
sys.version_info = (3, 9, 18)
sys.argv = ["install.py", "demo"]
runpy.run_path({path!r}, run_name="__main__")
"""
WITHOUT_ENSUREPIP = """
import runpy, sys
sys.modules["ensurepip"] = None
sys.argv = ["install.py", "demo", "--prefix", {prefix!r}]
runpy.run_path({path!r}, run_name="__main__")
"""
INSTALL = str(project.ROOT / "install.py")


def one_line(error_output: str) -> str:
    lines = error_output.strip().splitlines()
    assert len(lines) == 1, error_output
    return lines[0]


def test_a_killed_installation_is_known_as_unfinished(story: Story) -> None:
    assert story.after_kill.returncode == 1
    assert "is unfinished" in story.after_kill.stdout
    assert "-> Run in Nuri's folder: python3 install.py demo" in story.after_kill.stdout


def test_the_next_run_finishes_it(made: Home) -> None:
    marker = made.environment.marker()
    assert marker is not None
    assert marker.complete
    assert marker.created
    assert made.environment.flaw() == ""


def test_a_second_run_changes_nothing(made: Home, tmp_path: Path) -> None:
    packages = made.environment.prefix / "lib"
    before = {path: path.stat().st_mtime_ns for path in packages.rglob("*.dist-info")}
    prefix = made.environment.prefix
    again = made.install("demo", "--no-models", "--prefix", prefix, "--output", tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"environment {prefix}: ready" in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in packages.rglob("*.dist-info")}


def test_a_damaged_environment_is_not_called_whole(made: Home) -> None:
    library = next(made.environment.prefix.glob("lib/python*/site-packages/msgpack"))
    library.rename(library.with_name("msgpack-away"))
    try:
        assert "does not import" in made.environment.flaw()
        doctor = made.install("doctor", "--prefix", made.environment.prefix)
    finally:
        library.with_name("msgpack-away").rename(library)
    assert doctor.returncode == 1
    assert "does not import its libraries" in doctor.stdout
    assert made.environment.flaw() == ""


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"requirements": "older"}, "another version"),
        ({"root": "/elsewhere"}, "another version or copy"),
        ({"prefix": "/elsewhere"}, "moved"),
        ({"complete": False}, "unfinished"),
    ],
)
def test_an_outdated_or_moved_environment_is_not_called_whole(
    made: Home, change: dict[str, object], flaw: str
) -> None:
    path = made.environment.prefix / MARKER_NAME
    original = path.read_bytes()
    marker = made.environment.marker()
    assert marker is not None
    try:
        path.write_text(json.dumps(dataclasses.asdict(marker) | change))
        assert flaw in made.environment.flaw()
    finally:
        path.write_bytes(original)


def test_somebody_elses_folder_is_left_alone(home: Home) -> None:
    place = home.path / "pictures"
    place.mkdir()
    (place / "cat.png").write_bytes(b"a cat")
    done = home.install("demo", "--no-models", "--prefix", place)
    assert done.returncode == 1
    assert "--prefix" in one_line(done.stderr)
    assert (place / "cat.png").read_bytes() == b"a cat"


def test_a_prefix_that_cannot_be_made(home: Home) -> None:
    (home.path / "file").write_bytes(b"")
    done = home.install("demo", "--no-models", "--prefix", home.path / "file" / "below")
    assert done.returncode == 1
    assert "--prefix" in one_line(done.stderr)


def test_without_network(home: Home) -> None:
    done = home.install(
        *("demo", "--no-models", "--prefix", home.environment.prefix),
        PIP_CONFIG_FILE="/dev/null",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
        PIP_RETRIES="1",
        PIP_CACHE_DIR=str(home.path / "cache"),
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("install.py: The backend was not installed: no connection")
    marker = home.environment.marker()
    assert marker is not None
    assert not marker.complete


def test_a_python_that_is_too_old(home: Home) -> None:
    done = home.run(sys.executable, "-c", TOO_OLD.format(path=INSTALL))
    assert done.returncode == 1
    assert "Nuri needs Python 3.10 or newer, this is Python 3.9 -> " in one_line(done.stderr)


def test_install_py_is_readable_by_an_old_python() -> None:
    compile((project.ROOT / "install.py").read_text(), "install.py", "exec", dont_inherit=True)
    text = (project.ROOT / "install.py").read_text()
    assert "import annotations" not in text
    assert 'f"' not in text


def test_debians_python_without_venv(home: Home) -> None:
    code = WITHOUT_ENSUREPIP.format(path=INSTALL, prefix=str(home.path / "env"))
    done = home.run(sys.executable, "-c", code)
    assert done.returncode == 1
    assert "-venv" in one_line(done.stderr)
    assert Environment(home.path / "env").flaw()


def test_wrong_usage(home: Home) -> None:
    assert home.install("demo", "--nonsense").returncode == 2
    assert home.install("--cpu").returncode == 2


def test_without_a_command_it_says_where_to_begin(home: Home) -> None:
    done = home.install()
    assert (done.returncode, done.stderr) == (0, "")
    assert "Begin with: python3 install.py demo" in done.stdout
    assert all(f"    {name} " in done.stdout for name in ("demo", "plugin", "doctor", "training"))


def test_every_remedy_names_a_command_of_install_py() -> None:
    texts = [project.ROOT / "README.md", project.ROOT / "docs" / "install.md"]
    for part in ("protocol", "backend", "training", "krita_plugin"):
        texts += sorted((project.ROOT / part).rglob("*.py"))
    for path in texts:
        for command in re.findall(r"python3? install\.py\b([^\n\"]{0,4})", path.read_text("utf-8")):
            assert command[:2].strip().isalpha(), f"{path}: install.py{command}"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         ErrorCode.disk_full),
        ("ERROR: No matching distribution found for torch==2.13.0", ErrorCode.not_found),
        ("error: metadata-generation-failed", ErrorCode.internal),
    ],
)  # fmt: skip
def test_pips_reasons_are_told_apart(line: str, code: ErrorCode, tmp_path: Path) -> None:
    stub = tmp_path / "pip_that_fails"
    stub.write_text(f"#!/bin/sh\necho '{line}'\nexit 1\n")
    stub.chmod(0o755)
    with pytest.raises(NuriError) as caught, console.step("trying") as step:
        pip.run(stub, ["install", "x"], "The thing", step)
    assert caught.value.info.code is code
    assert "The thing was not installed" in caught.value.info.message
    assert caught.value.info.action
    assert line in caught.value.info.detail


def test_which_torch_is_tried_first() -> None:
    linux = torch_build.candidates(gpu=False, system="linux")
    assert linux[0] == torch_build.Build("torch==2.13.0+cpu", "", "CPU build")
    assert linux[1].index.endswith("/cpu")
    assert "!=2.13.0+cpu" in torch_build.candidates(gpu=True, system="linux")[0].requirement
    assert "+cu" in torch_build.candidates(gpu=True, system="win32")[0].requirement
    for system in ("win32", "darwin"):
        assert torch_build.candidates(gpu=False, system=system)[0].requirement == "torch==2.13.0"
