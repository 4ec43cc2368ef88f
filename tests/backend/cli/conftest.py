from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.cli.console import Console
from tests.backend.cli.running import Running


@pytest.fixture
def nuri(tmp_path: Path) -> Console:
    """The console script, with no daemon running."""
    return Console(tmp_path / "private")


@pytest.fixture(scope="module")
def daemon() -> Iterator[Console]:
    """The console script, with one daemon for the tests of a file, started by its first use."""
    folder = Path(tempfile.mkdtemp(prefix="nuri-"))  # short, for the paths of sockets
    console = Console(folder)
    yield console
    console("stop")
    shutil.rmtree(folder)


@pytest.fixture
def running(daemon: Console, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The daemon of that console script, surely running."""
    running = Running(daemon, tmp_path_factory.mktemp("first"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def matcher_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The calls and the daemons that they start find these weights alone: a small matcher."""
    for name in ("torch", "safetensors"):
        pytest.importorskip(name)
    from backend.weights import store
    from tests.backend.weights.shelf import SMALL_MATCHER, put

    folder = tmp_path_factory.mktemp("weights")
    put(folder, "matching", SMALL_MATCHER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.OVERRIDE, str(folder))
        yield folder
