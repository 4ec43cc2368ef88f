"""Data of which nothing can be read: every paper fails at once, in one line, without a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.cli import main

BROKEN = b"\x89PNG\r\n\x1a\n no"
SMALL = ["--set", "model.width=4", "--set", "data.size=64", "--quiet", "--device", "cpu"]


@pytest.mark.parametrize(
    ("paper", "folders", "expected"),
    [
        ("aaldc", ("color", "line"), "none of the 9 samples of data can be used"),
        ("ibn_gan", (".",), "none of the 9 samples of data can be used"),
        ("smsanet", (".",), "none of the 9 samples of data can be used"),
        ("video", ("series/shot",), "none of the 10 frames of series can be read: check "),
        ("manga", ("color",), "none of the 9 samples of data can be used"),
    ],
)
def test_nothing_that_can_be_read(
    paper: str,
    folders: tuple[str, ...],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))
    for folder in folders:
        for number in range(10):
            path = tmp_path / "data" / folder / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(BROKEN)
    run = tmp_path / "run"
    for _ in range(2):  # what is kept in the cache changes nothing
        command = ["train", paper, "--data", str(tmp_path / "data"), "-o", str(run), *SMALL]
        assert main(command) == 1
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith(f"nuri-train: {expected}")
        assert not run.exists()
