"""Runs the real install.py in a home of its own, with one real environment for all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.setup.environment import MARKER_NAME, Environment
from backend.setup.project import ROOT

LIMIT_SECONDS = 600


@dataclass
class Home:
    """A user's home folder, and programs that run in it."""

    path: Path

    def __post_init__(self) -> None:
        (self.path / "tmp").mkdir()

    @property
    def environment(self) -> Environment:
        # A path that shows up every mistake in quoting.
        return Environment(self.path / "Nuri für Künstler" / "the venv")

    @property
    def variables(self) -> dict[str, str]:
        own = {
            "HOME": self.path,
            "TMPDIR": self.path / "tmp",  # what a killed pip leaves goes with the home
            "XDG_CONFIG_HOME": self.path / ".config",
            "XDG_DATA_HOME": self.path / ".local/share",
            "XDG_STATE_HOME": self.path / ".local/state",
            "XDG_CACHE_HOME": self.path / ".cache",
            "NURI_CONNECTION": self.path / "run/connection.json",
            "NURI_STATE": self.path / "state",
            "PIP_NO_COMPILE": "1",  # half the time, for the same environment
        }
        # What pip was told about indexes and caches belongs to the machine, not to the home.
        cache = os.environ.get("PIP_CACHE_DIR", Path.home() / ".cache/pip")
        table = {**os.environ, "PIP_CACHE_DIR": str(cache)}
        table.setdefault("PIP_CONFIG_FILE", str(_pip_settings()))
        table.pop("NURI_BACKEND", None)
        return table | {name: os.fspath(value) for name, value in own.items()}

    def install(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """install.py with this environment, run to its end."""
        return self.run(sys.executable, ROOT / "install.py", *arguments, **variables)

    def run(self, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [os.fspath(word) if isinstance(word, Path) else str(word) for word in command],
            cwd=self.path,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )


def _pip_settings() -> Path:
    for place in (".config/pip/pip.conf", ".pip/pip.conf"):
        if (Path.home() / place).is_file():
            return Path.home() / place
    return Path(os.devnull)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home without an environment."""
    return Home(tmp_path)


@dataclass
class Story:
    """What happened on the way to the session's environment."""

    home: Home
    after_kill: subprocess.CompletedProcess[str]
    demo: subprocess.CompletedProcess[str]
    output: Path


@pytest.fixture(scope="session")
def story() -> Iterator[Story]:
    """`install.py demo` killed while pip works, doctor's view of that, and the demo run again."""
    with tempfile.TemporaryDirectory(prefix="nh-") as folder:
        home, output = Home(Path(folder)), Path(folder) / "demo output"
        prefix = home.environment.prefix
        command = ["demo", "--no-models", "--prefix", prefix, "--output", output]
        _kill_while_installing(home, command)
        after_kill = home.install("doctor", "--prefix", prefix)
        demo = home.install(*command)
        if "no connection to the package index" in demo.stdout + demo.stderr:
            demo = home.install(*command)  # once more: the network is not what is tested
        yield Story(home, after_kill, demo, output)
        home.run(home.environment.nuri, "stop")


@pytest.fixture
def made(story: Story) -> Home:
    """The home with the finished environment, shared by all tests: leave it as it was."""
    assert story.demo.returncode == 0, story.demo.stdout + story.demo.stderr
    return story.home


def _kill_while_installing(home: Home, command: list[object]) -> None:
    words = [os.fspath(word) if isinstance(word, Path) else str(word) for word in command]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "install.py"), *words],
        env=home.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout or ():
            if "installing the backend" in line:
                time.sleep(1.0)  # so that pip is at work, not merely about to be
                break
        os.killpg(process.pid, signal.SIGKILL)
    assert (home.environment.prefix / MARKER_NAME).is_file()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # The first test that needs the environment waits until it is made.
            item.add_marker(pytest.mark.timeout(1500))
