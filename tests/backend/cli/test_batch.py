from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from backend.cli.batch_made import FILE
from backend.cli.batch_plan import make_plan
from backend.imaging import io
from protocol.errors import NuriError
from tests.backend import drawings
from tests.backend.cli.console import one_line
from tests.backend.disks import needs_mounts, read_only_disk
from tests.backend.imaging import files


def krita_file() -> bytes:
    ink = np.zeros_like(drawings.hints())
    ink[..., 3] = 255 - drawings.line()
    return files.kra({"Hints": drawings.hints(), "Lines": ink})


def test_a_folder_is_coloured_and_resumed(nuri, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    for name in ("a", "b"):
        drawings.save(folder, name)
    (folder / "c.kra").write_bytes(krita_file())
    drawings.save(folder / "deeper", "d")
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "bad.hints.png").write_bytes(io.encode_png(drawings.hints()))
    drawings.save(folder, "lonely")[1].unlink()
    (folder / "notes.txt").write_text("not a drawing")
    arguments = ["batch", folder, "-o", output, "--recursive", "--no-daemon", "--json"]

    done = nuri(*arguments)
    assert done.code == 1
    *rows, last = done.json()
    states = {os.path.basename(row["input"]): row["state"] for row in rows}
    coloured = {"a.png": "done", "b.png": "done", "c.kra": "done", "d.png": "done"}
    assert states == {**coloured, "bad.png": "failed", "lonely.png": "failed"}
    assert last == {"summary": {"done": 4, "skipped": 0, "failed": 2, "left": 0}}
    assert all(line.startswith("nuri: ") for line in done.err.splitlines())
    assert "bad.png is no picture" in done.err
    assert f"Put them into {folder / 'lonely.hints.png'}" in done.err
    for name in ("a.png", "b.png", "c.png", "deeper/d.png"):
        assert drawings.is_coloured(io.read_image((output / name).read_bytes(), name))

    (folder / "a.hints.png").write_bytes(io.encode_png(drawings.hints()[..., [0, 2, 1, 3]]))
    (folder / "bad.png").unlink()
    drawings.save(folder, "lonely")
    again = nuri(*arguments)
    assert (again.code, again.err) == (0, "")
    states = {os.path.basename(row["input"]): row["state"] for row in again.json()[:-1]}
    kept = {"b.png": "skipped", "c.kra": "skipped", "d.png": "skipped"}
    assert states == {**kept, "a.png": "done", "lonely.png": "done"}


@pytest.mark.parametrize("name", ["none.png", "notes.txt", "in"])
def test_a_reference_that_is_no_picture_is_one_error(nuri, tmp_path, name):
    for page in ("a", "b"):
        drawings.save(tmp_path / "in", page)
    (tmp_path / "notes.txt").write_text("no picture")
    out, reference = tmp_path / "out", tmp_path / name
    done = nuri("batch", tmp_path / "in", "-o", out, "--reference", reference, "--no-daemon")
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err) and str(reference) in done.err
    assert not out.exists()


def test_the_hint_layer_of_a_file_is_not_its_lines(nuri, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    page = folder / "page.kra"
    page.write_bytes(krita_file())
    words = "page.kra is its hint layer, and cannot be its lines too (Name the layer of the lines"
    for call in (
        ["colorize", page, "-o", tmp_path / "one.png", "--line-layer", "Hints"],
        ["colorize", page, "-o", tmp_path / "one.png", "--line-layer", "hints", "--model=choosing"],
        ["batch", folder, "-o", out, "--line-layer", "hints", "--hint-layer", "Hints", "-q"],
    ):
        done = nuri(*call, "--no-daemon")
        assert (done.code, done.out) == (1, "")
        assert one_line(done.err)
        assert words in done.err
    assert not (tmp_path / "one.png").exists() and not (out / "page.png").exists()
    hints = tmp_path / "hints.png"
    hints.write_bytes(io.encode_png(drawings.hints()))
    here = ["--line-layer", "Lines", "--no-daemon", "--flats"]
    for more in ([], ["--hints", hints]):
        assert nuri("colorize", page, "-o", tmp_path / "one.png", *here, *more).code == 0


def test_lines_in_a_pipe_and_force(nuri, tmp_path):
    drawings.save(tmp_path / "in")
    arguments = ["batch", tmp_path / "in", "-o", tmp_path / "out", "--no-daemon", "--flats"]
    done = nuri(*arguments)
    first, summary = done.out.splitlines()
    assert first.startswith(f"1/1 {tmp_path / 'out' / 'page.png'}: 120 x 60, 2 of ")
    assert summary == "1 coloured, 0 done before, 0 failed"
    assert nuri(*arguments).out == "0 coloured, 1 done before, 0 failed\n"
    assert nuri(*arguments, "--force", "-q").out == ""
    assert "\x1b" not in done.out


class Batch:
    """Two drawings, coloured once."""

    def __init__(self, nuri, folder) -> None:
        self.nuri, self.folder, self.out = nuri, folder / "in", folder / "out"
        for name in ("a", "b"):
            drawings.save(self.folder, name)

    def __call__(self, *more: object) -> str:
        """The names of the drawings that were coloured, not left as they were."""
        done = self.nuri("batch", self.folder, "-o", self.out, "--json", *more)
        assert done.code == 0, done.err
        rows = done.json()[:-1]
        assert {row["state"] for row in rows} <= {"done", "skipped"}
        return "".join(Path(row["input"]).stem for row in rows if row["state"] == "done")


@pytest.fixture
def batch(daemon, tmp_path):
    batch = Batch(daemon, tmp_path)
    assert batch("--flats") == "ab"
    return batch


@pytest.mark.parametrize("options", [["--no-lines"], ["--fill-unhinted"]], ids=str)
def test_another_option_colours_all_again(batch, options):
    assert batch("--flats", *options) == "ab"
    assert batch("--flats", *options) == ""
    assert batch("--flats") == "ab"


def test_another_line_layer_colours_all_again(batch):
    ink = np.zeros((*drawings.line().shape, 4), np.uint8)
    ink[..., 3] = 255 - drawings.line()
    (batch.folder / "c.kra").write_bytes(files.kra({"Ink": ink, "Rough": ink}))
    (batch.folder / "c.hints.png").write_bytes(io.encode_png(drawings.hints()))
    assert batch("--flats", "--line-layer", "Ink") == "abc"
    assert batch("--flats", "--line-layer", "Ink") == ""
    assert batch("--flats", "--line-layer", "Rough") == "abc"


def test_other_hints_and_lines_colour_their_drawing_again(batch):
    before = (batch.out / FILE).stat().st_mtime_ns
    assert batch("--flats", "--jobs", "1") == ""
    assert (batch.out / FILE).stat().st_mtime_ns == before
    (batch.folder / "b.hints.png").touch()
    assert batch("--flats") == ""
    (batch.folder / "b.png").write_bytes(io.encode_png(drawings.line() // 2))
    assert batch("--flats") == "b"
    hints = batch.folder.parent / "hints"
    hints.mkdir()
    for name in "ab":
        pixels = drawings.hints() if name == "b" else drawings.hints()[..., [2, 1, 0, 3]]
        (hints / f"{name}.png").write_bytes(io.encode_png(pixels))
    assert batch("--flats", "--hints", hints) == "a"  # the other ones say the same elsewhere
    (batch.out / "b.png").unlink()
    assert batch("--flats", "--hints", hints) == "b"


def test_another_network_or_reference_colours_all_again(daemon, tmp_path):
    pytest.importorskip("torch", reason="the networks need PyTorch")
    batch, reference = Batch(daemon, tmp_path), tmp_path / "reference.png"
    colours = np.dstack([drawings.line()] * 3)
    for boxes, calls in (((9, 37), 1), ((79, 111), 2)):
        colours[12:48, boxes[0] : boxes[1]] = drawings.RED
        reference.write_bytes(io.encode_png(colours))
        assert batch("--reference", reference) == "ab", calls
        assert batch("--reference", reference, "--model", "matching") == ""
    assert batch("--reference", reference, "--soft") == "ab"
    assert batch() == "ab"
    assert batch("--flats") == "ab"


def test_without_recipes_times_tell(batch):
    (batch.out / FILE).unlink()
    later = (batch.out / "b.png").stat().st_mtime_ns + 10**9
    os.utime(batch.folder / "b.hints.png", ns=(later, later))
    assert batch("--flats") == "b"
    assert batch("--flats") == ""
    assert batch("--flats", "--no-lines") == "ab"  # by now all is noted


def test_a_folder_that_cannot_be_read_is_told(monkeypatch, tmp_path):
    for inner in ("", "locked"):
        drawings.save(tmp_path / "in" / inner)
    locked, scandir = [tmp_path / "in" / "locked"], os.scandir

    def refused(place):
        if Path(place) in locked:
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    plan = make_plan(tmp_path / "in", tmp_path / "out", recursive=True, hints=None)
    assert [drawing.line.name for drawing in plan.drawings] == ["page.png"]
    assert [str(error) for _, error in plan.problems] == [
        f"{locked[0]} cannot be read: Permission denied (Check who may read this folder)"
    ]
    plan = make_plan(tmp_path / "in", tmp_path / "out", recursive=False, hints=None)
    assert plan.problems == []
    locked[0] = tmp_path / "in"
    with pytest.raises(NuriError, match="in cannot be read: Permission denied"):
        make_plan(tmp_path / "in", tmp_path / "out", recursive=False, hints=None)


def names(folder, output, **options) -> list[tuple[str, str | None, str]]:
    plan = make_plan(folder, output, **{"recursive": False, "hints": None, **options})
    return [
        (d.line.name, d.hints.name if d.hints else None, str(d.output.relative_to(output)))
        for d in plan.drawings
    ]


def test_pairs(tmp_path):
    folder, hints, output = tmp_path / "in", tmp_path / "hints", tmp_path / "out"
    for path in ("a.png", "a.hints.png", "b.jpg", "b.hints.webp", "c.ora", "c.hints.png", "d.kra"):
        folder.mkdir(exist_ok=True)
        (folder / path).touch()
    (folder / ".hidden.png").touch()
    assert names(folder, output) == [
        ("a.png", "a.hints.png", "a.png"),
        ("b.jpg", "b.hints.webp", "b.png"),
        ("c.ora", "c.hints.png", "c.png"),
        ("d.kra", None, "d.png"),
    ]
    hints.mkdir()
    (hints / "a.png").touch()
    plan = make_plan(folder, output, recursive=False, hints=hints)
    assert [d.hints for d in plan.drawings] == [hints / "a.png", None, None]
    assert [line.name for line, _ in plan.problems] == ["b.jpg"]


def test_two_files_of_one_name_keep_their_endings(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in ("a.png", "a.jpg", "a.hints.png"):
        (folder / path).touch()
    outputs = [output for _, _, output in names(folder, tmp_path / "out")]
    assert outputs == ["a.jpg.png", "a.png.png"]


def test_results_and_hints_inside_the_folder_are_no_drawings(tmp_path):
    folder = tmp_path / "in"
    for inner in ("", "out", "hints"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
        (folder / inner / "a.png").touch()
    found = names(folder, folder / "out", recursive=True, hints=folder / "hints")
    assert found == [("a.png", "a.png", "a.png")]


@needs_mounts
def test_read_only_results_folder_is_one_error(tmp_path, nuri):
    drawings.save(tmp_path / "in")
    with read_only_disk(tmp_path / "disk") as folder:
        for output in (folder, folder / "new"):
            done = nuri("batch", tmp_path / "in", "-o", output, "--no-daemon")
            assert (done.code, done.out) == (1, "")
            assert "read-only" in done.err
            assert done.err.count("\n") == 1


def test_nothing_to_colour(tmp_path, nuri):
    with pytest.raises(NuriError, match="holds no drawings"):
        make_plan(tmp_path, tmp_path / "out", recursive=False, hints=None)
    done = nuri("batch", tmp_path / "none", "-o", tmp_path / "out")
    assert (done.code, done.out) == (1, "")
    assert "none is no folder" in done.err
