from __future__ import annotations

from pathlib import Path

import pytest

from backend.setup import kritarc

KEPT = [
    b"",
    b"[MainWindow]\nState=AAAA\n",
    b"Top=1\n\n[python]\nenable_scripter=true\n\n[theme]\nTheme=Krita dark\n",
    b"[python]\r\nenable_scripter=true\r\n[theme]\r\nTheme=x\r\n",
    b"[a]\nname=\xff\xfe raw bytes\n[python][$i]\nenable_nuri=false\n",
]


@pytest.mark.parametrize("original", KEPT)
def test_enabling_and_disabling_leaves_everything_else(tmp_path: Path, original: bytes) -> None:
    path = tmp_path / "kritarc"
    path.write_bytes(original)
    assert not kritarc.is_enabled(path)
    kritarc.enable(path)
    assert kritarc.is_enabled(path)
    enabled = path.read_bytes()
    assert enabled.replace(b"\r\n", b"\n").count(b"\nenable_nuri=true\n") == 1
    assert [line for line in enabled.splitlines() if line in original.splitlines()] or not original
    kritarc.enable(path)
    assert path.read_bytes() == enabled
    kritarc.disable(path)
    assert path.read_bytes() == original


def test_a_setting_that_says_no_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "kritarc"
    path.write_bytes(b"[python]\nenable_a=true\nenable_nuri=false\nenable_b=true\n[z]\nk=v\n")
    kritarc.enable(path)
    expected = b"[python]\nenable_a=true\nenable_nuri=true\nenable_b=true\n[z]\nk=v\n"
    assert path.read_bytes() == expected


def test_a_file_without_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "kritarc"
    path.write_bytes(b"[python]")
    kritarc.enable(path)
    assert path.read_bytes() == b"[python]\nenable_nuri=true\n"


def test_a_missing_file_and_a_linked_one(tmp_path: Path) -> None:
    kritarc.disable(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    kritarc.enable(tmp_path / "new" / "kritarc")
    assert (tmp_path / "new" / "kritarc").read_bytes() == b"[python]\nenable_nuri=true\n"
    (tmp_path / "link").symlink_to(tmp_path / "new" / "kritarc")
    kritarc.disable(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new" / "kritarc").read_bytes() == b""
