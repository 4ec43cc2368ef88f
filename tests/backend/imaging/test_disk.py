"""Reading and writing whole files: what may go wrong with folders, disks and names."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from backend.imaging import disk
from protocol import limits
from protocol.errors import ErrorCode, NuriError
from tests.backend.disks import full_disk, needs_mounts, read_only_disk

PICTURE = b"picture" * 1000


def test_writes_whole_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"before")
    disk.write_atomic(path, memoryview(PICTURE))
    assert path.read_bytes() == PICTURE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_keeps_the_mode_of_the_file_and_follows_the_umask(tmp_path):
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    old.write_bytes(b"before")
    old.chmod(0o640)
    mask = os.umask(0o027)
    try:
        for path in (old, new):
            disk.write_atomic(path, PICTURE)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == 0o640


def test_follows_a_link_to_the_file_behind_it(tmp_path):
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    target.write_bytes(b"before")
    link.symlink_to(target)
    disk.write_atomic(link, PICTURE)
    assert link.is_symlink()
    assert target.read_bytes() == PICTURE


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_writes_to_a_device():
    disk.write_atomic(Path(os.devnull), PICTURE)
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("name", ["Zeichnung mit Ümläuten 線画 🎨.png", "x" * 250 + ".png"])
def test_unusual_names(tmp_path, name):
    disk.write_atomic(tmp_path / name, PICTURE)
    assert disk.read_file(tmp_path / name) == PICTURE


def test_path_of_300_characters(tmp_path):
    path = tmp_path / ("a" * 150) / ("ö" * 75) / "out.png"
    assert len(str(path)) > 230
    disk.make_folder(path.parent)
    disk.write_atomic(path, PICTURE)
    assert disk.read_file(path) == PICTURE


def test_name_that_is_too_long(tmp_path):
    with pytest.raises(NuriError, match="cannot be written: File name too long"):
        disk.write_atomic(tmp_path / ("x" * 300 + ".png"), PICTURE)


@pytest.mark.parametrize("check", [disk.check_writable, lambda path: disk.write_atomic(path, b"x")])
def test_missing_folder(tmp_path, check):
    with pytest.raises(NuriError) as caught:
        check(tmp_path / "nowhere" / "out.png")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "Create the folder first" in str(caught.value)


@pytest.mark.parametrize("check", [disk.check_writable, lambda path: disk.write_atomic(path, b"x")])
def test_file_in_the_place_of_the_folder(tmp_path, check):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NuriError, match="Create the folder first"):
        check(tmp_path / "file" / "out.png")


def test_folder_in_the_place_of_the_file(tmp_path):
    with pytest.raises(NuriError, match="is a folder"):
        disk.check_writable(tmp_path)


@needs_mounts
def test_read_only_folder(tmp_path):
    with read_only_disk(tmp_path / "disk") as folder:
        for check in (disk.check_writable, lambda path: disk.write_atomic(path, b"x")):
            with pytest.raises(NuriError) as caught:
                check(folder / "out.png")
            assert "read-only" in str(caught.value)
            assert str(folder / "out.png") in str(caught.value)


@needs_mounts
def test_full_disk_leaves_the_old_file(tmp_path):
    with full_disk(tmp_path / "disk", kilobytes=64) as folder:
        path = folder / "out.png"
        path.write_bytes(b"before")
        with pytest.raises(NuriError) as caught:
            disk.write_atomic(path, bytes(1_000_000))
        assert caught.value.code is ErrorCode.disk_full
        assert path.read_bytes() == b"before"
        assert list(folder.iterdir()) == [path]


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        disk.write_atomic(tmp_path / "out.png", PICTURE)
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_not_there(tmp_path):
    with pytest.raises(NuriError) as caught:
        disk.read_file(tmp_path / "none.png")
    assert caught.value.code is ErrorCode.not_found
    with pytest.raises(NuriError, match="is a folder"):
        disk.read_file(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="sparse files of POSIX")
def test_reading_a_file_of_many_gigabytes(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(NuriError) as caught:
        disk.read_file(path)
    assert caught.value.code is ErrorCode.too_large


def test_reading_and_writing_files_needs_no_decoder():
    code = (
        "import sys; from backend.imaging import io; "
        "print([m for m in ('numpy', 'cv2', 'PIL', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_small_file_asks_for_little_memory(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(PICTURE)
    tracemalloc.start()
    try:
        assert disk.read_file(path) == PICTURE
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files on Linux")
def test_what_comes_through_a_pipe_is_bounded(monkeypatch):
    def read(size: int) -> bytes:
        reader, writer = os.pipe()
        try:
            os.write(writer, PICTURE[:size])
            os.close(writer)
            return disk.read_file(Path(f"/dev/fd/{reader}"))
        finally:
            os.close(reader)

    monkeypatch.setattr(limits, "BUFFER_BYTES", 1000)
    assert read(1000) == PICTURE[:1000]
    with pytest.raises(NuriError) as caught:
        read(1001)
    assert caught.value.code is ErrorCode.too_large
