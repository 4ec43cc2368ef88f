"""The command line with a daemon of its own: started by its first use, used by the later ones."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from backend.cli.batch_made import FILE
from backend.imaging import io
from tests.backend import drawings
from tests.backend.daemon.house import PATIENCE, paused, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def status(nuri) -> dict:
    (answer,) = nuri("status", "--json").json()
    return answer


@pytest.fixture(scope="module")
def slow_drawing(tmp_path_factory):
    """Line art and hints that take seconds: 4000 px a side with thousands of regions."""
    folder = tmp_path_factory.mktemp("slow")
    size = 4000
    line = np.full((size, size), 255, np.uint8)
    line[::40] = 0
    line[:, ::40] = 0
    dots = np.zeros((size, size, 4), np.uint8)
    dots[20::40, 20::40] = (1, 2, 3, 255)
    paths = folder / "slow.png", folder / "slow.hints.png"
    for path, pixels in zip(paths, (line, dots), strict=True):
        path.write_bytes(io.encode_png(pixels))
    return paths


def test_the_first_call_starts_a_daemon_that_stays(daemon, tmp_path):
    line, hints = drawings.save(tmp_path)
    arguments = ["colorize", line, "--hints", hints, "-o", tmp_path / "out.png"]
    first = daemon(*arguments)
    assert (first.code, first.err) == (0, "")
    assert drawings.is_coloured(io.read_image((tmp_path / "out.png").read_bytes(), "out.png"))
    running = status(daemon)
    assert running["running"]
    assert daemon(*arguments).code == 0
    assert status(daemon)["pid"] == running["pid"]
    assert f"process {running['pid']}" in daemon("status").out


def test_errors_come_back_from_the_daemon(daemon, tmp_path):
    line, hints = drawings.save(tmp_path)
    hints.write_bytes(io.encode_png(np.zeros((30, 120, 4), np.uint8)))
    done = daemon("colorize", line, "--hints", hints, "-o", tmp_path / "out.png")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert f"{hints} is 120 x 30 pixels, but {line} is 120 x 60 (Save the hints at" in done.err
    assert not (tmp_path / "out.png").exists()


def test_ctrl_c_cancels_the_job_and_leaves_no_file(daemon, running, tmp_path, slow_drawing):
    line, hints = slow_drawing
    with paused(running.worker):
        process = daemon.start("colorize", line, "--hints", hints, "-o", tmp_path / "out.png")
        running.wait_for_job()
        process.send_signal(signal.SIGINT)
        running.wait_for_cancel()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert err == "nuri: cancelled\n"
    assert list(tmp_path.iterdir()) == []
    running.wait_for_end()


def test_batch_keeps_several_under_way(daemon, tmp_path):
    names = [f"page{number}" for number in range(7)]
    for name in names:
        drawings.save(tmp_path / "in", name)
    arguments = ["batch", tmp_path / "in", "-o", tmp_path / "out", "--jobs", "3", "--json"]
    done = daemon(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.json()[-1] == {"summary": {"done": 7, "skipped": 0, "failed": 0, "left": 0}}
    for name in names:
        picture = (tmp_path / "out" / f"{name}.png").read_bytes()
        assert drawings.is_coloured(io.read_image(picture, name))


def test_ctrl_c_in_a_batch_keeps_what_is_done(daemon, running, tmp_path, slow_drawing):
    drawings.save(tmp_path / "in", "a")
    for path in slow_drawing:
        (tmp_path / "in" / path.name).symlink_to(path)
    process = daemon.start("batch", tmp_path / "in", "-o", tmp_path / "out", "--jobs", "1")
    until((tmp_path / "out" / "a.png").exists, "the first picture")
    with paused(running.worker):
        running.wait_for_job()
        process.send_signal(signal.SIGINT)
        running.wait_for_cancel()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert err == "nuri: cancelled\n"
    assert out.splitlines()[-1].startswith("1 coloured, 0 done before, 0 failed, 1 left")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", FILE}


def test_a_daemon_killed_under_a_drawing_is_a_clear_error(daemon, running, tmp_path, slow_drawing):
    line, hints = slow_drawing
    with paused(running.worker):
        process = daemon.start("colorize", line, "--hints", hints, "-o", tmp_path / "out.png")
        running.wait_for_job()
        os.kill(running.pid, signal.SIGKILL)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err.startswith("nuri: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_killed_under_a_batch_is_started_again(daemon, running, tmp_path, slow_drawing):
    drawings.save(tmp_path / "in", "z")
    for path in slow_drawing:
        (tmp_path / "in" / path.name).symlink_to(path)
    with paused(running.worker):
        process = daemon.start("batch", tmp_path / "in", "-o", tmp_path / "out", "--json")
        running.wait_for_job()
        os.kill(running.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert '"done": 2' in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"slow.png", "z.png", FILE}


@pytest.mark.usefixtures("running")
def test_stop(daemon):
    assert status(daemon)["running"]
    assert daemon("stop").out == "the daemon has stopped\n"
    assert status(daemon) == {"running": False}
    assert daemon("stop").out == "no daemon is running\n"
