"""Files that the disk cannot take: one line says so, and nothing half-written is left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from training.cli import main
from training.errors import TrainingError
from training.files import refused, write_json, write_text
from training.report import Report, write_report
from training.report.pictures import shrink

posix = pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit there")


@contextmanager
def largest(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as on a disk that is full."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def report() -> Report:
    return Report("aaldc", "A paper", "Budget of 20min", "procedural toon", ())


@posix
def test_the_file_that_was_there_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows" / "full.json"
    write_json(path, {"psnr": 3.0})
    before = path.read_bytes()
    with largest(64), pytest.raises(TrainingError, match=r"\(file too large\); the previous"):
        write_json(path, {"psnr": 3.0, "curve": list(range(99))})
    assert path.read_bytes() == before
    assert files(tmp_path) == ["full.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("a file")
    with pytest.raises(TrainingError, match=r"cannot write .*full\.json \(.*\): free space or"):
        write_text(tmp_path / "rows" / "full.json", "text")
    assert files(tmp_path) == ["rows"]


def test_names_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9") if sys.platform != "win32" else "caf\udce9"
    write_json(tmp_path / "a.json", {"name": name})
    assert (tmp_path / "a.json").read_bytes() == b'{\n "name": "caf\\udce9"\n}\n'


@posix
def test_a_reproduction_tells_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with largest(16):
        assert main(["reproduce", "aaldc", "--row", "full", "-o", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nuri-train: cannot write ") and "plan.json (file too large)" in line
    assert files(tmp_path) == []


@posix
def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with largest(16), pytest.raises(TrainingError, match=r"report\.json \(file too large\)"):
        write_report(report(), tmp_path)
    assert files(tmp_path) == []
    page = write_report(report(), tmp_path)
    before = page.read_bytes()
    with largest(1000), pytest.raises(TrainingError, match=r"index\.html \(file too large\)"):
        write_report(report(), tmp_path)
    assert page.read_bytes() == before
    assert files(tmp_path) == ["index.html", "report.json"]


@posix
def test_a_picture_of_a_report_is_not_left_half(tmp_path: Path) -> None:
    picture = Image.effect_noise((64, 64), 90)
    picture.save(tmp_path / "strip.png")
    with largest(64), pytest.raises(TrainingError, match=r"row-1\.webp \(file too large\)"):
        shrink(tmp_path / "strip.png", tmp_path / "pictures" / "row-1.webp")
    assert files(tmp_path) == ["strip.png"]


def test_what_a_folder_refuses_is_one_line() -> None:
    told = refused(PermissionError(13, "Permission denied", "/data/runs"))
    assert str(told) == (
        "/data/runs: permission denied: check the folder, its rights and its space"
    )
    assert str(refused(OSError())).startswith("OSError: check")
