"""`nuri colorize` in this process: files, options, exit codes, and every bad input of files."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.imaging import disk, io
from tests.backend import drawings
from tests.backend.cli.console import one_line
from tests.backend.imaging import files


def test_a_drawing_and_its_hints(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    out = tmp_path / "out.png"
    done = nuri("colorize", line, "--hints", hints, "-o", out, "--flats", "--no-daemon")
    assert (done.code, done.err) == (0, "")
    assert f"out.png: {drawings.WIDTH} x {drawings.HEIGHT}, 2 of " in done.out
    assert drawings.is_coloured(io.read_image((tmp_path / "out.png").read_bytes(), "out.png"))


def test_json_regions_and_palette(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    extra = ["--regions", tmp_path / "regions.png", "--palette", tmp_path / "palette.json"]
    arguments = [line, "--hints", hints, "-o", tmp_path / "out.png", "--flats", *extra]
    done = nuri("colorize", *arguments, "--no-daemon", "--json")
    assert (done.code, done.err) == (0, "")
    (facts,) = done.json()
    assert facts["input"] == str(line)
    assert facts["output"] == str(tmp_path / "out.png")
    assert facts["task"] == "flats"
    assert (facts["width"], facts["height"], facts["coloured"]) == (120, 60, 2)
    assert facts["seconds"] > 0
    regions = io.read_image((tmp_path / "regions.png").read_bytes(), "regions.png")
    palette = json.loads((tmp_path / "palette.json").read_text())
    assert palette == {"palette": facts["palette"], "regions": facts["regions"]}
    owner = {tuple(entry["colour"]): entry["regions"] for entry in palette["palette"]}
    assert owner[(*drawings.RED, 255)] == [int(regions[drawings.LEFT])]


def test_no_lines_and_quiet(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    arguments = [line, "--hints", hints, "-o", tmp_path / "out.png", "--no-lines", "-q", "--flats"]
    done = nuri("colorize", *arguments, "--no-daemon")
    assert (done.code, done.out, done.err) == (0, "", "")
    picture = io.read_image((tmp_path / "out.png").read_bytes(), "out.png")
    assert picture[drawings.LEFT].tolist() == [*drawings.RED, 255]
    assert picture[drawings.RIGHT].tolist() == [0, 0, 0, 0]


def test_krita_file_and_names_of_any_script(nuri, tmp_path):
    ink = np.zeros_like(drawings.hints())
    ink[..., 3] = 255 - drawings.line()
    folder = tmp_path / "Zeichnungen 線画 🎨" / ("x" * 200) / ("ß" * 60)
    folder.mkdir(parents=True)
    path = folder / "Fräulein.kra"
    path.write_bytes(files.kra({"Farben": drawings.hints(), "Strich": ink}))
    arguments = [path, "--hint-layer", "Farben", "--line-layer", "Strich", "-o", folder / "ö.png"]
    assert len(str(folder / "ö.png")) > 300
    done = nuri("colorize", *arguments, "--no-daemon")
    assert (done.code, done.err) == (0, "")
    assert drawings.is_coloured(io.read_image((folder / "ö.png").read_bytes(), "ö.png"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are text")
def test_a_name_that_is_no_text(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")
    os.rename(line, odd)
    for extra in ([], ["--json"]):
        extra = ["--flats", "--no-daemon", *extra]
        arguments = [odd, "--hints", hints, "-o", odd + ".out.png", *extra]
        done = nuri("colorize", *arguments)
        assert (done.code, done.err) == (0, "")
        assert "2 of" in done.out or done.json()
    assert drawings.is_coloured(io.read_image(disk.read_file(Path(odd + ".out.png")), "out"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["colorize"], "-o/--output"),
        (
            ["colorize", "a.png", "-o", "b.png"],
            "there are no hints for a.png (add --hints PNG or --reference PNG",
        ),
        (["colorize", "a.png", "--hints", "h.png", "-o", "a.png"], "would be written over"),
        (["colorize", "a.png", "--hints", "h.png", "-o", "h.png"], "would be written over"),
        (
            ["colorize", "a.kra", "-o", "b.png", "--regions", "b.png"],
            "two of the files to write have one name",
        ),
        (
            ["colorize", "a.kra", "-o", "b.png", "--model", "dream"],
            "available: matching, choosing, manga, aaldc, video, flats",
        ),
        (
            ["colorize", "a.png", "-o", "b.png", "--reference", "c.png", "--model", "flats"],
            "knows no references",
        ),
        (
            ["colorize", "a.png", "-o", "b.png", "--reference", "c.png", "--fill-unhinted"],
            "--fill-unhinted is for hints alone",
        ),
        (["colorize", "a.png", "-o", "c.png", "--reference", "c.png"], "would be written over"),
        (["colorize", "a.kra", "-o", "b.png", "--size", "512"], "--size"),
        (["colorize", "a.kra", "-o", "b.png", "--size", "big"], "big is not a whole number"),
        (["colorize", "a.kra", "-o", "b.png", "--device", "cuda"], "--device"),
        (
            ["colorize", "a.png", "-o", "b.png", "--reference", "c.png", "--flats"],
            "--flats is for hints alone",
        ),
        (
            ["colorize", "a.kra", "-o", "b.png", "--flats", "--model", "manga"],
            "--flats works without a network",
        ),
        (
            ["colorize", "a.kra", "-o", "b.png", "--fill-unhinted", "--model", "matching"],
            "--fill-unhinted works without a network",
        ),
        (
            ["colorize", "a.png", "--hints", "h.png", "-o", "b.png", "--flats", "--soft"],
            "--flats has no shading to show (leave out --flats or --soft)",
        ),
        (
            ["colorize", "a.kra", "-o", "b.png", "--model", "flats", "--soft"],
            "--model flats has no shading to show (leave out --model flats or --soft)",
        ),
        (["batch", ".", "-o", "o", "--fill-unhinted", "--soft"], "leave out --fill-unhinted or"),
        (["colorize", "a.kra", "-o", "b.png", "--model", "aaldc"], "add --reference PNG"),
        (["batch", ".", "-o", "out", "--model", "video"], "add --reference PNG"),
        (
            ["colorize", "a.kra", "-o", "b.png", "--line-layer", "Ink", "--hint-layer", "Ink"],
            "the lines and the hints are the same layer, 'Ink'",
        ),
        (["batch", ".", "-o", "o", "--line-layer", "a", "--hint-layer", "a"], "the same layer"),
        (["colorize", "a.kra", "-o", "b.JPG"], "(name it b.png)"),
        (["colorize", "a.kra", "-o", "b.png", "--regions", "c.webp"], "(name it c.png)"),
        (["lines", "a.png", "-o", "b.tiff"], "(name it b.png)"),
        (["grey", "a.png", "-o", "b.kra"], "(name it b.png)"),
        (["batch", "f", "-o", "o", "--jobs", "0"], "--jobs: 0 is not a whole number of 1 or more"),
        (["batch", "f", "-o", "o", "--jobs", "x"], "--jobs: x is not a whole number of 1 or more"),
        (["batch", "f", "-o", "o", "--jobs", "9" * 5000], "9 is not a whole number of 1 or more"),
        (["batch", ".", "-o", "."], "choose another folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_code_2(nuri, tmp_path, arguments, words):
    done = nuri(*arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err)
    assert words in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["colorize", "page.png", "--hints", "page.hints.png"], "--line-layer"),
        (["colorize", "page.png", "--hints", "page.hints.png"], "--hint-layer"),
        (["colorize", "page.png", "--model", "choosing"], "--hint-layer"),
        (["grey", "page.png"], "--layer"),
        (["lines", "page.png"], "--layer"),
    ],
)
def test_files_without_layers_have_none_to_name(nuri, tmp_path, command, option):
    drawings.save(tmp_path)
    done = nuri(*command, "-o", "out.png", "--no-daemon", option, "Ink", cwd=tmp_path)
    assert done.code == 2
    assert one_line(done.err)
    name = command[-1] if option == "--hint-layer" and "--hints" in command else "page.png"
    assert f"{option} needs a .kra or .ora file, which {name} is not (leave out" in done.err


@pytest.mark.parametrize("option", ["--line-layer", "--hint-layer"])
def test_a_batch_without_layers_has_none_to_name(nuri, tmp_path, option):
    drawings.save(tmp_path / "in")
    call = ["batch", tmp_path / "in", "-o", tmp_path / "out", "--flats", "--no-daemon"]
    done = nuri(*call, option, "Ink")
    assert done.code == 2 and one_line(done.err)
    assert done.err.startswith(f"nuri: {option} needs .kra or .ora files, of which there are none")
    assert not (tmp_path / "out").exists()


def bad_inputs() -> dict[str, tuple[bytes, bytes, str]]:
    """Line art, hints, and what the error has to say."""
    line, hints = io.encode_png(drawings.line()), io.encode_png(drawings.hints())
    white = io.encode_png(np.full((60, 120), 255, np.uint8))
    other = io.encode_png(np.zeros((30, 120, 4), np.uint8))
    return {
        "empty file": (b"", hints, "line.png is empty"),
        "no picture": (b"hello", hints, "line.png is no picture that Nuri can read"),
        "cut short": (line[:100], hints, "line.png is cut short"),
        "damaged": (line[:60] + b"\xff" + line[61:], hints, "line.png is damaged"),
        "bomb": (files.png_claiming(100_000, 100_000), hints, "line.png says that it is 100000"),
        "hints of another size": (line, other, "hints.png is 120 x 30 pixels, but"),
        "hints without alpha": (line, line, "hints.png has no transparency"),
        "empty hints": (
            line,
            io.encode_png(np.zeros((60, 120, 4), np.uint8)),
            "hints.png is empty",
        ),
        "blank line": (white, hints, "line.png: the line art is blank"),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_files_are_one_line_and_exit_code_1(nuri, tmp_path, case):
    line, hints, words = bad_inputs()[case]
    (tmp_path / "line.png").write_bytes(line)
    (tmp_path / "hints.png").write_bytes(hints)
    (tmp_path / "out.png").write_bytes(b"before")
    arguments = ["line.png", "--hints", "hints.png", "-o", "out.png", "--no-daemon", "--json"]
    done = nuri("colorize", *arguments, cwd=tmp_path)
    assert done.code == 1
    assert one_line(done.err), done.err
    assert words in done.err
    assert "(" in done.err  # the remedy
    (answer,) = done.json()
    assert answer["error"]["message"] in done.err
    assert answer["error"]["action"] in done.err
    assert (tmp_path / "out.png").read_bytes() == b"before"
    assert {p.name for p in tmp_path.iterdir()} == {"line.png", "hints.png", "out.png"}


def test_missing_files_and_folders_fail_before_any_work(nuri, tmp_path):
    line, hints = drawings.save(tmp_path)
    for arguments, words in (
        (["none.png", "--hints", hints, "-o", "out.png"], "none.png does not exist"),
        ([line, "--hints", "none.png", "-o", "out.png"], "none.png does not exist"),
        ([tmp_path, "--hints", hints, "-o", "out.png"], "is a folder"),
        ([line, "--hints", hints, "-o", "no/where/out.png"], "does not exist (Create the folder"),
        ([line, "--hints", hints, "-o", tmp_path], "is a folder"),
        ([line, "--hints", hints, "-o", f"{line}/out.png"], "is a file (Create the folder"),
    ):
        done = nuri("colorize", *arguments, "--no-daemon", cwd=tmp_path)
        assert done.code == 1
        assert one_line(done.err)
        assert words in done.err


def test_one_pixel_and_a_long_strip(nuri, tmp_path):
    strip = np.full((20, 20_000), 255, np.uint8)
    strip[:, 10_000] = 0
    dots = np.zeros((20, 20_000, 4), np.uint8)
    dots[8:12, 50:60] = (1, 2, 3, 255)
    (tmp_path / "line.png").write_bytes(io.encode_png(strip))
    (tmp_path / "hints.png").write_bytes(io.encode_png(dots))
    arguments = ["line.png", "--hints", "hints.png", "-o", "out.png", "--no-daemon"]
    done = nuri("colorize", *arguments, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    picture = io.read_image((tmp_path / "out.png").read_bytes(), "out.png")
    assert picture.shape[:2] == (20, 20_000)
    assert picture[10, 5000][:3].tolist() == [1, 2, 3]
    (tmp_path / "line.png").write_bytes(io.encode_png(np.zeros((1, 1), np.uint8)))
    (tmp_path / "hints.png").write_bytes(io.encode_png(np.full((1, 1, 4), 255, np.uint8)))
    done = nuri("colorize", *arguments, cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith("nuri: line.png: the line art is blank (")
    assert one_line(done.err)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_in_this_process_leaves_no_file(nuri, tmp_path):
    size = 5000
    line = np.full((size, size), 255, np.uint8)
    line[::40] = 0
    line[:, ::40] = 0
    dots = np.zeros((size, size, 4), np.uint8)
    dots[20::40, 20::40] = (1, 2, 3, 255)
    (tmp_path / "line.png").write_bytes(io.encode_png(line))
    (tmp_path / "hints.png").write_bytes(io.encode_png(dots))
    arguments = ["line.png", "--hints", "hints.png", "-o", "out.png", "--no-daemon"]
    process = nuri.start("colorize", *[tmp_path / a if ".png" in a else a for a in arguments])
    assert process.stdout is not None
    assert process.stdout.readline().startswith("line.png: ")  # progress: it is in the middle
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert err == "nuri: cancelled\n"
    assert not (tmp_path / "out.png").exists()
    assert not list(tmp_path.glob(".nuri-*"))


def test_soft_colours_come_from_a_reference_or_a_network_that_paints(nuri, tmp_path):
    pytest.importorskip("torch", reason="the networks need PyTorch")
    line, _ = drawings.save(tmp_path)
    out = tmp_path / "out.png"
    call = ["colorize", line, "-o", out, "--no-daemon", "--soft", "--model"]
    done = nuri(*call, "choosing")
    assert done.code == 2 and one_line(done.err) and "--model manga" in done.err
    assert not out.exists()
    assert nuri(*call, "manga").code == 0
    picture = io.read_image(out.read_bytes(), "out.png")
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 500
