"""Starts the real Krita on a screen of its own, with a profile of its own, and runs checks in it.

Nothing of the user is touched: HOME, the XDG folders, the temporary folder and the X display are
private. The first start of Krita on an empty profile takes about 10 s, so that a profile warmed
once is kept in the system's temporary folder and copied for each start.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
OUTPUT = PROJECT / "test-output"
PROGRAMS = ("krita", "Xvfb", "xdotool", "import")
_FOLDERS = ("home", "config", "data", "cache", "run", "tmp")
_HOOK = "nuri_test_hook"
_BUNDLED_PLUGINS = (
    "colorspace",
    "comics_project_management_tools",
    "documenttools",
    "exportlayers",
    "filtermanager",
    "lastdocumentsdocker",
    "plugin_importer",
    "quick_settings_docker",
    "scripter",
    "tenbrushes",
    "tenscripts",
)
# Without these Krita wants OpenGL, and aborts where there is no driver for it.
_DISPLAY_SETTINGS = "[General]\nOpenGLRenderer=none\ncanvasState=OPENGL_SUCCESS\nuseOpenGL=false\n"
# A Python of the caller in front would hide PyQt5 from the one inside Krita.
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
_DROPPED = ("XDG_", "QT_", "KDE", "DBUS_", "PYTHON", "VIRTUAL_ENV", "CONDA", "NURI_", "PYTEST_")


def missing_programs() -> list[str]:
    """Programs that the tests need and this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]


@dataclass
class Outcome:
    """What one start of Krita left behind. ``checks``: by name, error, facts and stray errors."""

    exit_code: int | None
    seconds: float
    checks: dict[str, Any] = field(default_factory=dict)
    log: str = ""


class PrivateKrita:
    """One profile and one screen; use it with ``with``. ``root`` is its private folder."""

    def __init__(self, screen: str = "1400x900x24") -> None:
        # Short: the path of a local socket in it may have 100 characters.
        self.root = Path(tempfile.mkdtemp(prefix="nk-"))
        self.plugins: list[str] = []
        self._screen = screen
        self._server: subprocess.Popen[bytes] | None = None
        self._krita: subprocess.Popen[bytes] | None = None
        self._display = ""

    def __enter__(self) -> PrivateKrita:
        for name in _FOLDERS:
            (self.root / name).mkdir(exist_ok=True)
        (self.root / "run").chmod(0o700)
        self._start_screen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._krita, self._server):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def resources(self) -> Path:
        """The folder that Krita's menu calls its resource folder."""
        return self.root / "data" / "krita"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        return kept | {
            "HOME": str(self.root / "home"),
            "XDG_CONFIG_HOME": str(self.root / "config"),
            "XDG_DATA_HOME": str(self.root / "data"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "XDG_RUNTIME_DIR": str(self.root / "run"),
            "TMPDIR": str(self.root / "tmp"),
            "DISPLAY": self._display,
            "PATH": _PATH,
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "NURI_TEST_ROOT": str(self.root),
            "NURI_TEST_PROJECT": str(PROJECT),
            "NURI_TEST_OUTPUT": str(OUTPUT),
            **more,
        }

    def use_warm_profile(self) -> None:
        """Copies the profile that `_warm_profile` keeps."""
        for name in ("config", "data", "cache", "home"):
            shutil.copytree(_warm_profile() / name, self.root / name, dirs_exist_ok=True)

    def install_hook(self) -> None:
        """Puts the plugin that runs test scripts into this Krita."""
        target = self.resources / "pykrita"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(HERE / "hook" / _HOOK, target / _HOOK, dirs_exist_ok=True)
        shutil.copy(HERE / "hook" / f"{_HOOK}.desktop", target)
        self.plugins.append(_HOOK)

    def start(self, *arguments: str, timeout: float = 120.0, **variables: str) -> Outcome:
        """Runs Krita to its end, at most ``timeout`` seconds; a picture shows what held it up."""
        OUTPUT.mkdir(exist_ok=True)
        self._write_settings()
        result, log = self.root / "result.json", self.root / "krita.log"
        result.unlink(missing_ok=True)
        environment = self.environment(NURI_TEST_RESULT=str(result), **variables)
        began = time.monotonic()
        with log.open("wb") as output:
            self._krita = subprocess.Popen(
                ["krita", "--nosplash", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        code: int | None
        try:
            code = self._krita.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
            self.screenshot("timeout")
        outcome = Outcome(code, time.monotonic() - began, log=log.read_text(errors="replace"))
        if result.exists():
            outcome.checks = json.loads(result.read_text())
        return outcome

    def screenshot(self, name: str) -> None:
        """Keeps a picture of the whole screen in test-output/."""
        command = ["import", "-window", "root", str(OUTPUT / f"{name}.png")]
        subprocess.run(command, env=self.environment(), check=False, timeout=20)

    def _write_settings(self) -> None:
        enabled = [f"enable_{name}=true" for name in self.plugins]
        disabled = [f"enable_{name}=false" for name in _BUNDLED_PLUGINS]
        path = self.root / "config" / "kritarc"
        if not path.exists():
            path.write_text("\n".join(["[python]", *enabled, *disabled, ""]))
        (self.root / "config" / "kritadisplayrc").write_text(_DISPLAY_SETTINGS)

    def _start_screen(self) -> None:
        read_end, write_end = os.pipe()
        with (self.root / "xvfb.log").open("wb") as log:
            self._server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write_end), "-nolisten", "tcp", "-noreset"]
                + ["-screen", "0", self._screen],
                pass_fds=[write_end],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            self._display = ":" + pipe.readline().strip()
        if self._display == ":":
            raise RuntimeError((self.root / "xvfb.log").read_text())


def _warm_profile() -> Path:
    """A profile that Krita has filled with its resource database; made by the first caller."""
    version = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "krita"], capture_output=True, text=True
    ).stdout
    name = f"nuri-krita-profile-{os.getuid()}-{version or 'unknown'}".replace(":", "-")
    profile = Path(tempfile.gettempdir()) / name
    with _locked(profile.with_suffix(".lock")):
        if profile.is_dir():
            return profile
        with PrivateKrita() as krita:
            krita.install_hook()
            script = krita.root / "warm.py"
            script.write_text("")
            outcome = krita.start(timeout=180, NURI_TEST_SCRIPT=str(script))
            if outcome.exit_code != 0:
                raise RuntimeError(f"Krita did not start:\n{outcome.log[-3000:]}")
            shutil.rmtree(krita.resources / "pykrita")
            for settings in ("kritarc", "kritadisplayrc"):
                (krita.root / "config" / settings).unlink(missing_ok=True)
            scratch = profile.with_suffix(f".{os.getpid()}")
            scratch.mkdir(mode=0o700)
            for folder in ("config", "data", "cache", "home"):
                shutil.copytree(krita.root / folder, scratch / folder)
            scratch.rename(profile)
    return profile


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit("Run the tests with pytest")
