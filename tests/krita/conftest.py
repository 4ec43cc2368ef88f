"""One Krita per test script; its checks are pytest's tests. Skipped loudly without Krita."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.setup import console, wheels
from backend.setup import plugin as install
from protocol.connection import ConnectionFile
from protocol.errors import NuriError

from .harness import OUTPUT, Outcome, PrivateKrita, missing_programs

BACKEND = Path(sys.executable).with_name("nuri")
INSIDE = Path(__file__).resolve().parent / "inside"
_KRITA_SECONDS = 540.0
_AT_A_TIME = 2
_ALONE = ("large", "large_pictures")
_VENDORED = ("zmq", "pyzmq.libs", "msgpack")

Weights = Callable[[str], Path]  # the folder of the networks for a script


@pytest.fixture(scope="session")
def plugin() -> Iterator[Path]:
    """The plugin as install.py lays it out for Krita's resource folder, without a network."""
    if missing := missing_programs():
        pytest.skip(f"NOT TESTED IN KRITA: this machine lacks {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="nk-plugin-") as folder:
        resources = Path(folder)
        install.build(Path(sys.executable), resources, [])
        vendor = resources / "pykrita" / "nuri" / "vendor"
        add_libraries(vendor)
        yield resources


def add_libraries(vendor: Path) -> None:
    """pyzmq and msgpack for Krita's Python: from this environment where it is of the same kind."""
    inside = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if inside != "{}.{}".format(*sys.version_info[:2]):
        with console.step(f"libraries for Krita's Python {inside}") as step:
            wheels.fetch(Path(sys.executable), vendor, wheels.platform_name(), step)
        return
    abi = "abi3" if sys.version_info >= (3, 12) else "cp{}{}".format(*sys.version_info[:2])
    target = vendor / f"{abi}-{wheels.platform_name()}"
    for name in _VENDORED:
        source = Path(sysconfig.get_path("platlib")) / name
        if source.exists():
            shutil.copytree(source, target / name)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Small networks for the daemons of the scripts; none where PyTorch is missing.

    Animations have the matcher that ships: which room has which colour is its doing.
    """
    folder, shots = (tmp_path_factory.mktemp(name) for name in ("weights", "shots"))
    if all(find_spec(name) for name in ("torch", "safetensors")):
        from tests.backend.weights.shelf import SMALL_MATCHER, lend, put

        lend(folder, "borders")
        put(folder, "smsanet", {"width": 4, "attention_where": (4, 7)})
        put(folder, "matching", SMALL_MATCHER)
        put(folder, "choosing", {"dim": 16, "width": 8, "layers": 1, "colors": 5})
        for identifier in ("borders", "matching"):
            lend(shots, identifier)
    return lambda script: shots if script.startswith("animation") else folder


class Theatre:
    """Runs each test script in a Krita of its own, once; two at a time, for they wait a lot.

    ``scripts``: all that will be asked for. One that measures runs alone, after all others.
    """

    def __init__(self, plugin: Path, weights: Weights, scripts: Iterable[str]) -> None:
        self._plugin, self._weights = plugin, weights
        self._pool = ThreadPoolExecutor(_AT_A_TIME)
        self._running = {
            script: self._pool.submit(self._play, script)
            for script in scripts
            if script not in _ALONE
        }

    def outcome(self, script: str) -> Outcome:
        return self.outcomes(script)[0]

    def outcomes(self, script: str) -> list[Outcome]:
        """Of a folder in inside/: its scripts in order, in the same profile."""
        if script not in self._running:
            wait(self._running.values())
            self._running[script] = self._pool.submit(self._play, script)
        return self._running[script].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _play(self, script: str) -> list[Outcome]:
        folder = INSIDE / script
        paths = sorted(folder.glob("*.py")) if folder.is_dir() else [INSIDE / f"{script}.py"]
        with _stage_set(self._plugin, self._weights(script), script) as play:
            return [play(path) for path in paths]


@contextmanager
def _stage_set(plugin: Path, weights: Path, name: str) -> Iterator[Callable[[Path], Outcome]]:
    """A Krita with the plugin and a daemon of its own; yields what runs a script in it.

    Several scripts meet the same profile and daemon, one after the other. Logs are kept in
    test-output/ under ``name``.
    """
    with PrivateKrita() as krita:
        krita.use_warm_profile()
        shutil.copytree(plugin, krita.resources, dirs_exist_ok=True)
        if name == "broken":
            shutil.rmtree(krita.resources / "pykrita" / "nuri" / "vendor")
        krita.plugins.append("nuri")
        krita.install_hook()
        run, state = krita.root / "nuri", krita.root / "state"
        run.mkdir(mode=0o700)

        def play(script: Path) -> Outcome:
            outcome = krita.start(
                timeout=_KRITA_SECONDS,
                NURI_TEST_SCRIPT=str(script),
                NURI_TEST_ONLY=os.environ.get("NURI_TEST_ONLY", ""),
                NURI_CONNECTION=str(run / "connection.json"),
                NURI_STATE=str(state),
                NURI_BACKEND=str(BACKEND),
                NURI_WEIGHTS=str(weights),
                NURI_STYLES=str(weights / "styles"),
            )
            _go_on(run / "connection.json")
            return outcome

        try:
            yield play
        finally:
            if daemon := _daemon(run / "connection.json"):
                os.kill(daemon, signal.SIGTERM)
            OUTPUT.mkdir(exist_ok=True)
            for log in [krita.root / "krita.log", *state.glob("*.log")]:
                if log.is_file():
                    shutil.copy(log, OUTPUT / f"{name}-{log.name}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of what runs alone come last: they would wait for all other scripts in their time."""
    items.sort(key=lambda item: _script_of(item) in _ALONE)


def _script_of(item: pytest.Item) -> str | None:
    call = getattr(item, "callspec", None)
    return call.params.get("script") if call else None


@pytest.fixture(scope="session")
def theatre(plugin: Path, weights: Weights, request: pytest.FixtureRequest) -> Iterator[Theatre]:
    scripts = filter(None, map(_script_of, request.session.items))
    theatre = Theatre(plugin, weights, dict.fromkeys(scripts))
    yield theatre
    theatre.close()


def _daemon(connection: Path) -> int | None:
    """The process of the daemon of this run, by its connection file; None where there is none."""
    try:
        daemon = ConnectionFile.read(connection)
    except NuriError:
        return None
    return None if daemon.is_stale() else daemon.pid


def _go_on(connection: Path) -> None:
    """Wakes what a script has stopped: the daemon of this run, and what computes for it."""
    if daemon := _daemon(connection):
        # It may end meanwhile.
        with suppress(OSError):
            children = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
            for process in (daemon, *map(int, children)):
                os.kill(process, signal.SIGCONT)
