"""Signals that end a command: nothing half-written stays, and what is done is kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console, one_line

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
    pytest.mark.usefixtures("matcher_shelf"),
]
NAMES = ["SIGINT", "SIGTERM", "SIGHUP"]


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """A shell lets what it starts in the background ignore SIGINT, nohup SIGHUP, and so would our
    commands."""
    heard = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    previous = {number: signal.signal(number, handler) for number, handler in heard.items()}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob(".nuri-*.part"))


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The call of a finished shot whose frames are large: a GIF of them takes seconds."""
    folder = tmp_path_factory.mktemp("shot")
    frames, keys = shots.save(folder)
    out = folder / "out"
    call: list[object] = ["animate", frames, "--key", *keys, "-o", out, "--no-daemon"]
    assert Console(folder / "private")(*call).code == 0
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    for path in out.glob("*.png"):
        path.write_bytes(io.encode_png(noise))
    return call


@pytest.mark.parametrize("name", NAMES)
def test_a_film_that_is_being_written_leaves_nothing(
    nuri: Console, shot: list[object], tmp_path: Path, name: str
) -> None:
    film = tmp_path / "film" / "shot.gif"
    film.parent.mkdir()
    process = nuri.start(*shot, "--film", film)
    wait_for(lambda: bool(parts(film.parent)))
    number = getattr(signal, name)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (-number, "nuri: cancelled\n")
    assert list(film.parent.iterdir()) == []


def test_a_system_that_shuts_down_keeps_what_is_done(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, frames=24)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out, "--no-daemon")
    process = nuri.start(*call)
    wait_for(lambda: len(list(out.glob("*.png"))) > 4)
    process.terminate()
    words, complaint = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert "left (run the command again to go on)" in words
    assert one_line(complaint) and "cancelled" in complaint
    assert parts(tmp_path) == []
    written = len(list(out.glob("*.png")))
    assert 4 < written < 24
    assert nuri(*call, "--json").json()[-1]["summary"]["skipped"] == written


def test_a_signal_that_is_ignored_stays_so(
    nuri: Console, shot: list[object], tmp_path: Path
) -> None:
    """As nohup asks for."""
    film = tmp_path / "film" / "shot.gif"
    film.parent.mkdir()
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = nuri.start(*shot, "--film", film)
    finally:
        signal.signal(signal.SIGHUP, previous)
    wait_for(lambda: bool(parts(film.parent)))
    process.send_signal(signal.SIGHUP)
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
    assert film.is_file()
