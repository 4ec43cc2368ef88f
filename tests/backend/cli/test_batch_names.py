"""Where the results of `nuri batch` go: each to a file of its own, and never over what is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.cli.batch_made import FILE
from backend.cli.batch_plan import make_plan
from backend.imaging import disk, io
from tests.backend import drawings
from tests.backend.cli.console import one_line


def test_two_drawings_never_share_a_result(tmp_path):
    """Also where one has the name that another's result gets, and on disks that ignore case."""
    folder, output = tmp_path / "in", tmp_path / "out"
    (folder / "deeper").mkdir(parents=True)
    for path in (
        "a.png",
        "a.jpg",
        "a.png.png",
        "B.png",
        "b.webp",
        "C.png",
        "c.png",
        "deeper/d.png",
    ):
        (folder / path).touch()
    (folder / "d.png").touch()
    found = make_plan(folder, output, recursive=True, hints=None, bare=True).drawings
    targets = {d.line.relative_to(folder).as_posix(): d.output.name for d in found}
    assert targets == {
        "a.jpg": "a.jpg.png",
        "a.png": "a.png.png",
        "a.png.png": "a.png.png.png",
        "B.png": "B.png.png",
        "b.webp": "b.webp.png",
        "C.png": "C.png.png",
        "c.png": "c.png-2.png",
        "d.png": "d.png",
        "deeper/d.png": "d.png",
    }
    output.mkdir()
    (output / "deeper").symlink_to(output)
    found = make_plan(folder, output, recursive=True, hints=None, bare=True).drawings
    places = [str(disk.resolved(drawing.output)).casefold() for drawing in found]
    assert len(set(places)) == len(found) == 9


def test_names_that_meet_are_coloured_all(nuri, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    for name in ("a", "a.png"):
        drawings.save(folder, name)
    (folder / "a.jpg").write_bytes((folder / "a.png").read_bytes())
    call = ["batch", folder, "-o", output, "--flats", "--no-daemon"]
    done = nuri(*call)
    assert (done.code, done.err) == (0, "")
    made = {path.name for path in output.iterdir()}
    assert made == {FILE, "a.jpg.png", "a.png.png", "a.png.png.png"}
    assert nuri(*call).out == "0 coloured, 3 done before, 0 failed\n"


def what_is_there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["--hints", "--reference"])
@pytest.mark.parametrize("is_linked", [False, True])
def test_what_is_read_is_never_written_over(nuri, tmp_path, kind, is_linked):
    folder, own = tmp_path / "in", tmp_path / "own"
    own.mkdir()
    for name in ("a", "b"):
        drawings.save(folder, name)
        (own / f"{name}.png").write_bytes(io.encode_png(drawings.hints()))
    given = own if kind == "--hints" else own / "b.png"
    output = tmp_path / "link" if is_linked else own
    if is_linked:
        output.symlink_to(own)
    before = what_is_there(own)
    done = nuri("batch", folder, "-o", output, kind, given, "--no-daemon", "--force")
    assert (done.code, done.out) == (2, "")
    words = "among the hints" if kind == "--hints" else ".png is read for this batch"
    assert one_line(done.err) and words in done.err
    assert what_is_there(own) == before


def test_hints_below_the_folder_of_results_are_not_written_over(nuri, tmp_path):
    """in/a.png goes to own/sub/a.png, which are the hints of in/sub/a.png."""
    folder, own = tmp_path / "in", tmp_path / "own"
    for inner in ("", "sub"):
        _, hints = drawings.save(folder / inner, "a")
        (own / inner).mkdir()
        hints.rename(own / inner / "a.png")
    before = what_is_there(own / "sub")
    call = ("batch", folder, "-o", own / "sub", "--hints", own, "--recursive", "--no-daemon")
    done = nuri(*call, "--flats")
    assert done.code == 2 and one_line(done.err)
    assert "a.png is read for this batch" in done.err
    assert what_is_there(own / "sub") == before


def test_a_drawing_below_the_folder_of_results_is_not_written_over(nuri, tmp_path):
    """in/in/a.png goes to in/a.png of the folder of results, which is another drawing."""
    folder = tmp_path / "in"
    for place in (folder, folder / "in"):
        drawings.save(place, "a")
    before = (folder / "a.png").read_bytes()
    done = nuri("batch", folder, "-o", tmp_path, "--recursive", "--no-daemon", "--flats")
    assert done.code == 2 and one_line(done.err)
    assert (folder / "a.png").read_bytes() == before


@pytest.mark.parametrize("is_recursive", [False, True])
def test_results_and_hints_may_lie_in_a_folder_above(tmp_path, is_recursive):
    above = tmp_path / "work"
    folder = above / "lines"
    folder.mkdir(parents=True)
    for path in (folder / "a.png", above / "a.hints.png"):
        path.touch()
    for output, hints in ((above, above), (above, None), (tmp_path / "out", above)):
        (folder / "a.hints.png").touch()
        plan = make_plan(folder, output, recursive=is_recursive, hints=hints)
        (found,) = plan.drawings
        assert (found.line, found.output) == (folder / "a.png", output / "a.png")


@pytest.mark.parametrize(
    "name", ["a.hints.PNG", "a.HINTS.png", "a.Hints.Tiff", "a.hints.png", "A.hints.png"]
)
@pytest.mark.parametrize("is_apart", [False, True])
def test_endings_of_hints_may_be_in_capitals(tmp_path, name, is_apart):
    folder, own = tmp_path / "in", tmp_path / "own"
    for place in (folder, own):
        place.mkdir()
    (folder / "a.PNG").touch()
    hints = (own if is_apart else folder) / name
    hints.touch()
    plan = make_plan(folder, tmp_path / "out", recursive=False, hints=own if is_apart else None)
    if name.startswith("a"):
        (found,) = plan.drawings
        assert (found.line, found.hints) == (folder / "a.PNG", hints)
    else:
        assert [line for line, _ in plan.problems] == [folder / "a.PNG"]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_names_with_control_characters_are_shown_without_them(nuri, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    line, hints = drawings.save(folder, "a\nb\x1b[31mc")
    (folder / "bad\n\x1b[31m.png").write_bytes(b"no picture")
    (folder / "bad\n\x1b[31m.hints.png").write_bytes(hints.read_bytes())
    drawings.save(folder, "lonely\x07")[1].unlink()
    done = nuri("batch", folder, "-o", out, "--flats", "--no-daemon", "--jobs", "1")
    assert done.code == 1
    first, summary = done.out.splitlines()
    assert first.startswith(f"2/3 {out}/a b?[31mc.png: 120 x 60, 2 of ")
    assert summary == "1 coloured, 0 done before, 2 failed"
    lonely, bad = done.err.splitlines()
    assert lonely.startswith(f"nuri: there are no hints for {folder}/lonely?.png (Put them into ")
    assert bad.startswith(f"nuri: {folder}/bad ?[31m.png is no picture")
    for call in (["colorize", line, "--hints", hints, "--flats"], ["lines", line]):
        done = nuri(*call, "-o", out / "new\n\x1b.png", "--no-daemon")
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[-1].startswith(f"{out}/new ?.png: 120 x 60, ")
        assert "\x1b" not in done.out
    done = nuri("status", "bo\ngus\x1b")
    assert done.code == 2
    assert done.err.startswith("nuri: unrecognized arguments: bo gus? (see nuri")


def test_the_exact_name_of_hints_comes_first(tmp_path):
    for name in ("a.png", "a.HINTS.PNG", "a.hints.png", "a.hints.PNG", "a.hints.TIF"):
        (tmp_path / name).touch()
    if not (tmp_path / "a.HINTS.png").exists():  # on disks that tell them apart
        (found,) = make_plan(tmp_path, tmp_path / "out", recursive=False, hints=None).drawings
        assert found.hints == tmp_path / "a.hints.png"


def test_plain_names_in_the_folder_of_hints_may_be_in_capitals(tmp_path):
    folder, own = tmp_path / "in", tmp_path / "own"
    for path in (folder / "a.png", own / "a.PNG"):
        path.parent.mkdir()
        path.touch()
    (found,) = make_plan(folder, tmp_path / "out", recursive=False, hints=own).drawings
    assert found.hints == own / "a.PNG"
