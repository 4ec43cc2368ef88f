"""Names that are no text, folders in the place of files, and pictures that show nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest

from backend.imaging import io
from tests.backend import drawings, shots
from tests.backend.cli.console import Console, one_line

posix_names = pytest.mark.skipif(sys.platform != "linux", reason="file systems of Linux")


@posix_names
@pytest.mark.usefixtures("matcher_shelf")
def test_a_review_shows_frames_whose_names_are_no_text(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, frames=4)
    for index in range(4):
        name = os.fsdecode(b"f\xe9%d.png" % index)
        (frames / f"{index}.png").rename(frames / name)
        if index in (0, 3):
            keys.pop(0).rename(tmp_path / "keys" / name)
    out = tmp_path / os.fsdecode(b"o\xe9")
    call = ("animate", frames, "--key", tmp_path / "keys", "-o", out, "--no-daemon", "--review")
    for _ in range(2):
        done = nuri(*call)
        assert (done.code, done.err) == (0, "")
        page = (out / "review.html").read_text(encoding="utf-8")
        (line,) = [line for line in page.splitlines() if line.startswith("const shot = ")]
        shown = json.loads(line.removeprefix("const shot = ").removesuffix(";"))["frames"]
        assert len(shown) == 4
        for frame in shown:
            for pane in ("lines", "result"):
                assert (out / os.fsdecode(unquote_to_bytes(frame[pane]))).is_file(), frame


@pytest.mark.parametrize("command", ["status", "stop", "serve"])
def test_a_connection_that_is_a_folder_is_not_to_be_deleted(tmp_path: Path, command: str) -> None:
    console = Console(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    done = subprocess.run(
        console.command(command),
        capture_output=True,
        text=True,
        env={**console.environment, "NURI_CONNECTION": str(folder)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert f"Let NURI_CONNECTION name a file, such as {folder / 'connection.json'}" in done.stderr
    assert "elete" not in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("matcher_shelf")
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_reference_that_is_all_transparent_is_refused(
    nuri: Console, tmp_path: Path, depth: type
) -> None:
    line, _ = drawings.save(tmp_path)
    reference, out = tmp_path / "reference.png", tmp_path / "out.png"
    reference.write_bytes(io.encode_png(np.zeros((60, 120, 4), depth)))
    done = nuri("colorize", line, "--reference", reference, "-o", out, "--no-daemon")
    assert done.code == 1
    assert one_line(done.err)
    assert f"{reference} is empty: all of it is transparent" in done.err
    assert not out.exists()
