"""The plugin under PyQt6, the Qt of Krita 6; the rest of Krita is `qt6/krita.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from protocol import launch
from tests.protocol.test_launch import ENTER, RUN_ECHO, command

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "qt6"


def run(script: str, home: Path, *arguments: str) -> str:
    """What a script of qt6/ prints, with everything of the user in the folder ``home``."""
    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        pytest.skip(f"NOT TESTED UNDER QT 6: {error}")
    folders = [str(HERE), str(ROOT / "krita_plugin"), str(ROOT)]
    own = {
        "PYTHONPATH": os.pathsep.join(folders),
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_STATE_HOME": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / script, *arguments],
        env={k: v for k, v in os.environ.items() if not k.startswith("NURI_")} | own,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_docker_menu_and_dialogs(tmp_path: Path) -> None:
    picture = tmp_path / "A reference.png"
    Image.new("RGB", (600, 400), (200, 30, 30)).save(picture)
    shown = run("walk.py", tmp_path, str(picture)).splitlines()
    assert {"Backend not installed", "A reference.png", "A message.<br>Its remedy."} <= set(
        shown
    ), shown


def test_a_leaving_daemon_does_not_keep_the_next_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process meets the lock of another daemon and leaves with 0; the second serves."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    flag = str(tmp_path / "second")
    first = f"if not os.path.exists({flag!r}): open({flag!r}, 'w').close(); sys.exit(0)\n"
    launch.write_record(command(tmp_path, ENTER + first + RUN_ECHO), "0.1")
    assert run("connect.py", tmp_path) == "ready\n"


def test_what_is_said_of_an_animation(tmp_path: Path) -> None:
    run("words.py", tmp_path)
