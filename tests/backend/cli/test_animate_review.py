"""`nuri animate --review`: the page, and that it tells of the pictures that are there."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console

pytestmark = pytest.mark.usefixtures("matcher_shelf")

UNSEEN = "coloured in an earlier run, without a review"


def shown(out: Path) -> list[dict]:
    """What the page says of each frame."""
    page = (out / "review.html").read_text()
    (line,) = [line for line in page.splitlines() if line.startswith("const shot = ")]
    frames: list[dict] = json.loads(line.removeprefix("const shot = ").removesuffix(";"))["frames"]
    return frames


def states(out: Path) -> list[str]:
    return [frame["state"] for frame in shown(out)]


def test_review_is_a_page_that_needs_nothing_else(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, blank=(3,))
    (frames / "4.png").rename(frames / "4 <b>&#.png")
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out, "--no-daemon")
    assert nuri(*call, "--review").code == 1
    page = (out / "review.html").read_text()
    assert "://" not in page
    assert page.count("</script>") == 1
    first = shown(out)
    assert [frame["state"] for frame in first] == ["key", "done", "done", "failed", "done", "key"]
    assert "blank" in first[3]["note"]
    assert "regions coloured, confidence" in first[1]["note"]
    for frame in first:
        for pane in ("lines", "result", "confidence"):
            assert not frame[pane] or (out / unquote(frame[pane])).is_file(), frame
    assert first[4]["result"] and first[4]["confidence"] and first[0]["lines"]
    # What is known of a frame stays known while it is left alone.
    (frames / "2.png").write_bytes(io.encode_png(shots.line(1)))
    assert nuri(*call, "--review").code == 1
    again = shown(out)
    assert again[:2] + again[3:] == first[:2] + first[3:]


def test_what_was_made_without_a_review_is_not_told_by_an_older_one(
    daemon: Console, tmp_path: Path
) -> None:
    frames, keys = shots.save(tmp_path, blank=(3,))
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out)
    assert daemon(*call, "--review").code == 1
    (frames / "3.png").write_bytes(io.encode_png(shots.line(3)))
    assert daemon(*call).code == 0  # the mended frame
    assert daemon(*call, "--review").code == 0
    assert states(out) == ["key", "done", "done", "", "done", "key"]
    assert shown(out)[3]["note"] == UNSEEN
    assert daemon(*call, "--soft").code == 0  # all of them, in another way
    assert daemon(*call, "--soft", "--review").code == 0
    assert states(out) == ["key", "", "", "", "", "key"]
    assert not any(frame["confidence"] for frame in shown(out))
    assert not list((out / "review").glob("*.confidence.png"))
    assert daemon(*call, "--soft", "--review", "--force").code == 0
    assert states(out) == ["key", "done", "done", "done", "done", "key"]


def test_key_frames_that_come_and_go(daemon: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    middle, out = tmp_path / "keys" / "3.png", tmp_path / "out"
    middle.write_bytes(io.encode_png(shots.finished(3)))
    call = ("animate", frames, "-o", out, "--key", *keys)
    assert daemon(*call, middle, "--review").code == 0
    assert states(out) == ["key", "done", "done", "key", "done", "key"]
    assert daemon(*call).code == 0
    assert daemon(*call, "--review").code == 0
    assert states(out) == ["key", "", "", "", "", "key"]
    assert daemon(*call, middle).code == 0
    assert daemon(*call, middle, "--review").code == 0
    assert states(out) == ["key", "", "", "key", "", "key"]


def test_a_frame_that_is_there_has_not_failed(daemon: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out, "--review")
    assert daemon(*call).code == 0
    picture = (out / "3.png").read_bytes()
    (out / "3.png").unlink()
    (out / "3.png").mkdir()  # where no picture can be written
    assert daemon(*call).code == 1
    assert states(out)[3] == "failed"
    (out / "3.png").rmdir()
    (out / "3.png").write_bytes(picture)
    assert daemon(*call).code == 0
    assert states(out)[3] == ""


def test_lines_of_an_older_file_are_shown(daemon: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out, "--review")
    assert daemon(*call).code == 0
    (frames / "2.png").write_bytes(io.encode_png(shots.line(6)))
    before = time.time() - 3600
    os.utime(frames / "2.png", (before, before))
    assert daemon(*call).code == 0
    small = io.read_image((out / "review" / "2.lines.png").read_bytes(), "lines")
    assert np.array_equal(small.reshape(shots.HEIGHT, shots.WIDTH, -1)[..., 0], shots.line(6))


@pytest.mark.parametrize("content", ["", "3", "[1]", '{"frames": 3}', '{"frames": {"1": 2}}'])
def test_facts_of_no_use_are_none(daemon: Console, tmp_path: Path, content: str) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out)
    assert daemon(*call).code == 0
    (out / "review").mkdir()
    (out / "review" / "frames.json").write_text(content)
    done = daemon(*call, "--review")
    assert (done.code, done.err) == (0, "")
    assert states(out) == ["key", "", "", "", "", "key"]
