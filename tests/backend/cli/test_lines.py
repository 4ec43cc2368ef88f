"""`nuri lines`, in this process and through a daemon's way."""

from __future__ import annotations

from backend.imaging import io
from tests.backend.tasks.test_lines import painting


def saved(folder):
    path = folder / "painting.png"
    path.write_bytes(io.encode_png(painting()))
    return path


def test_a_picture_becomes_line_art(nuri, tmp_path):
    done = nuri("lines", saved(tmp_path), "-o", tmp_path / "out.png", "--no-daemon")
    assert (done.code, done.err) == (0, "")
    assert "out.png: 256 x 256, " in done.out
    lines = io.read_image((tmp_path / "out.png").read_bytes(), "out.png")
    assert lines.ndim == 2
    assert lines[16, 16] == 255
    assert lines[192, 192] == 0


def test_json(nuri, tmp_path):
    out = tmp_path / "out.png"
    done = nuri("lines", saved(tmp_path), "-o", out, "--no-daemon", "--json")
    (facts,) = done.json()
    assert (facts["task"], facts["width"], facts["height"]) == ("lines", 256, 256)


def test_the_picture_is_not_written_over(nuri, tmp_path):
    picture = saved(tmp_path)
    before = picture.read_bytes()
    assert nuri("lines", picture, "-o", picture, "--no-daemon").code == 2
    assert picture.read_bytes() == before


def test_a_missing_file_is_named(nuri, tmp_path):
    done = nuri("lines", tmp_path / "no.png", "-o", tmp_path / "out.png", "--no-daemon")
    assert done.code == 1
    assert "no.png" in done.err
