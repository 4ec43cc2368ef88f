"""What the system refuses: names, links, pipes, closed outputs, memory, disks."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from backend.cli import main
from backend.imaging import io
from backend.imaging.refusal import is_no_memory
from tests.backend import drawings, shots
from tests.backend.cli.console import one_line
from tests.backend.disks import full_disk, needs_mounts, read_only_disk


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_names_that_no_picture_can_have(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    (tmp_path / "circle.png").symlink_to("circle.png")
    os.mkfifo(tmp_path / "pipe.png")
    here = ["--no-daemon", "--flats"]
    for arguments, words in (
        (["circle.png", "--hints", hints, "-o", "out.png"], "circle.png cannot be read: "),
        ([line, "--hints", hints, "-o", "circle.png"], "circle.png cannot be written: "),
        ([line, "--hints", hints, "-o", "x" * 300], "cannot be written: File name too long"),
        (["x" * 300, "--hints", hints, "-o", "out.png"], "cannot be read: File name too long"),
        (["pipe.png", "--hints", hints, "-o", "out.png"], "pipe.png is a pipe or device"),
        ([line, "--hints", "pipe.png", "-o", "out.png"], "pipe.png is a pipe or device"),
    ):
        done = nuri("colorize", *arguments, *here, cwd=tmp_path)
        assert done.code == 1
        assert one_line(done.err)
        assert words in done.err
    done = nuri("lines", "circle.png", "-o", "out.png", "--no-daemon", cwd=tmp_path)
    assert done.code == 1 and "circle.png cannot be read" in done.err and one_line(done.err)
    assert (tmp_path / "circle.png").is_symlink()


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
def test_pipes_of_the_shell(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    call = nuri.command("colorize", "/dev/stdin", "--hints", hints, "-o", "/dev/stdout")
    call += ["--flats", "--no-daemon"]

    def run(*more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*call, *more], input=line.read_bytes(), capture_output=True, env=nuri.environment
        )

    done = run()
    assert drawings.is_coloured(io.read_image(done.stdout, "stdout"))
    assert done.stdout.endswith(b"IEND\xaeB`\x82")  # nothing is said in the same pipe
    refused = run("--json")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"--json would mix with the picture" in refused.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
@pytest.mark.parametrize("older", [None, b"before"])
@pytest.mark.parametrize(
    ("output", "regions", "palette"),
    [
        ("out.png", "/dev/full", None),
        ("out.png", None, "/dev/full"),
        ("out.png", "regions.png", "/dev/full"),
        ("/dev/full", "regions.png", "palette.json"),
    ],
)
def test_a_file_that_cannot_be_written_keeps_the_others_from_it(
    nuri, tmp_path, output, regions, palette, older
):
    line, hints = drawings.save(tmp_path)
    given = (("-o", output), ("--regions", regions), ("--palette", palette))
    wanted = ["-q", *(word for option, name in given if name for word in (option, name))]
    if older:
        for name in ("out.png", "regions.png", "palette.json"):
            (tmp_path / name).write_bytes(older)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = nuri("colorize", line, "--hints", hints, *wanted, "--flats", "--no-daemon", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err) and "/dev/full cannot be written: the disk is full" in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@needs_mounts
def test_a_full_disk_under_one_file_keeps_the_others_from_being_written(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    with full_disk(tmp_path / "full", kilobytes=4) as folder:
        (folder / "filler").write_bytes(bytes(4096))
        call = ("colorize", line, "--hints", hints, "-o", "/dev/stdout", "--palette")
        done = nuri(*call, folder / "palette.json", "--flats", "--no-daemon")
        assert (done.code, done.out) == (1, "")
        assert one_line(done.err) and "palette.json cannot be written: the disk is" in done.err
        assert [path.name for path in folder.iterdir()] == ["filler"]


@pytest.mark.parametrize(("name", "words"), [("-", "use /dev/stdin"), ("", "the name is empty")])
def test_names_that_are_none(nuri, tmp_path, name, words):
    line, hints = drawings.save(tmp_path)
    for arguments in (
        [name, "--hints", hints, "-o", "x.png"],
        [line, "--hints", hints, "-o", name],
    ):
        done = nuri("colorize", *arguments, cwd=tmp_path)
        assert done.code == 2
        assert one_line(done.err) and words in done.err
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
@pytest.mark.parametrize("command", [["models"], ["models", "--json"]])
def test_an_output_that_is_full_or_closed(nuri, command):
    def call(redirection: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", f'exec "$0" "$@" {redirection}', *nuri.command(*command)],
            capture_output=True,
            text=True,
            env=nuri.environment,
        )

    full = call(">/dev/full")
    assert full.returncode == 1
    assert one_line(full.stderr) and "No space left on device (send it elsewhere)" in full.stderr
    for redirection in (">&-", ">&- 2>&- <&-"):
        closed = call(redirection)
        assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")],
)
def test_too_little_memory_is_one_line(monkeypatch, capsys, error):
    def fail(options: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("backend.cli.information.models", fail)
    assert main(["models"]) == 1
    shown = capsys.readouterr().err
    assert one_line(shown) and "there is not enough memory (close other programs" in shown


def test_what_counts_as_too_little_memory():
    caused, itself = ValueError("no weights"), ValueError("no weights")
    caused.__cause__ = ImportError("libtorch_cpu.so: failed to map segment from shared object")
    itself.__cause__ = itself
    for error in (MemoryError(), OSError(errno.ENOMEM, "no"), caused):
        assert is_no_memory(error)
    for error in (itself, OSError(errno.EACCES, "no"), None):
        assert not is_no_memory(error)


@needs_mounts
def test_read_only_folder_and_full_disk(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    with read_only_disk(tmp_path / "read-only") as folder:
        done = nuri("colorize", line, "--hints", hints, "-o", folder / "out.png", "--no-daemon")
        assert done.code == 1
        assert one_line(done.err)
        assert "read-only" in done.err
    big = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    big[:, 100:] = 255
    dots = np.zeros((200, 200, 4), np.uint8)
    dots[90:110, 150:170] = (1, 2, 3, 255)
    line.write_bytes(io.encode_png(big))
    hints.write_bytes(io.encode_png(dots))
    with full_disk(tmp_path / "full", kilobytes=16) as folder:
        done = nuri("colorize", line, "--hints", hints, "-o", folder / "out.png", "--no-daemon")
        assert done.code == 1
        assert one_line(done.err)
        assert "the disk is full" in done.err
        assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_circle_of_links_beside_an_animation(nuri, tmp_path):
    frames, keys = shots.save(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "circle.gif").symlink_to("circle.gif")
    for arguments in (["-o", "circle"], ["-o", "out", "--film", "circle.gif"]):
        done = nuri("animate", frames, "--key", *keys, *arguments, "--no-daemon", cwd=tmp_path)
        assert done.code == 1
        assert one_line(done.err) and "circle" in done.err and "internal" not in done.err


# Everything but PyTorch is loaded first, so that it is PyTorch that finds no room.
_WITH_LITTLE_MEMORY = """
import resource, sys
import backend.cli
from backend.tasks import flats_job, layer_job, job
job.warm_up()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
sys.exit(backend.cli.main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux keeps them")
@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is missing")
def test_networks_that_find_no_room_are_not_missing(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    out = tmp_path / "out.png"
    call = ("colorize", line, "--hints", hints, "-o", out, "--no-daemon")
    done = subprocess.run(
        [sys.executable, "-c", _WITH_LITTLE_MEMORY, *map(str, call)],
        capture_output=True,
        text=True,
        env=nuri.environment,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.count("coloured")) == (1, 0)
    assert one_line(done.stderr)
    assert "not enough memory for a picture of this size (Close other programs" in done.stderr
    assert not out.exists()
