"""The smoke budget: every row of every table of a paper runs, and finished rows are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from training import presets
from training.data import procedural
from training.errors import TrainingError
from training.reproduce import reproduce


def rows_of(paper: str) -> set[str]:
    return {row.preset for table in presets.tables(paper) for row in table.reproducible}


def report_of(output: Path, paper: str) -> dict[str, object]:
    text = (output / paper / "report.json").read_text(encoding="utf-8")
    content: dict[str, object] = json.loads(text)
    return content


@pytest.mark.slow
@pytest.mark.timeout(1500)  # 53 rows of video on a busy machine
@pytest.mark.parametrize("paper", presets.papers())
def test_every_row_of_a_paper_runs(paper: str, tmp_path: Path) -> None:
    page = reproduce(paper, output=tmp_path, budget="smoke", device="cpu")
    assert page == tmp_path / paper / "index.html"
    assert "Smoke budget" in page.read_text(encoding="utf-8")
    done = {path.stem for path in (tmp_path / paper / "rows").glob("*.json")}
    assert done == rows_of(paper)
    for table in report_of(tmp_path, paper)["tables"]:  # type: ignore[attr-defined]
        for row in table["rows"]:
            assert not row["failure"]
            if row["preset"]:
                assert row["evaluated"] > 0
                assert row["ours"] or row["unavailable"]
                assert row["pictures"]


@pytest.mark.slow
def test_finished_rows_are_kept_and_missing_ones_made(tmp_path: Path) -> None:
    def run(**changes: str) -> Path:
        options = {"table": "1", "row": "full", "budget": "smoke", **changes}
        return reproduce("aaldc", output=tmp_path, device="cpu", **options)  # type: ignore[arg-type]

    run()
    row = tmp_path / "aaldc" / "rows" / "full.json"
    (stage,) = (tmp_path / "aaldc" / "runs").glob("*/stage.json")
    before = row.stat().st_mtime_ns, stage.stat().st_mtime_ns
    run()
    assert (row.stat().st_mtime_ns, stage.stat().st_mtime_ns) == before
    row.unlink()
    run()
    assert row.exists()
    assert stage.stat().st_mtime_ns == before[1]
    with pytest.raises(TrainingError, match="another budget"):
        run(budget="20min")


def test_the_page_counts_what_was_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "photos"
    for split, count in (("train", 4), ("val", 2)):
        (data / split).mkdir(parents=True)
        for index in range(count):
            picture = procedural.photo(index, 64).paint
            Image.fromarray(picture).save(data / split / f"{split}{index}.png")
    damaged = data / "train" / "train1.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    page = reproduce(
        "smsanet", row="smsa", data=data, output=tmp_path / "out", budget="smoke", device="cpu"
    )
    text = page.read_text(encoding="utf-8")
    assert "data=1 left out: samples that cannot be used" in text
    assert str(tmp_path) not in text


def test_unknown_names_are_told_before_anything_is_written(tmp_path: Path) -> None:
    for changes, words in (
        ({"row": "ful"}, "did you mean 'full'"),
        ({"table": "7"}, "it has 1"),
        ({"budget": "soon"}, "20min or 6h"),
        ({"overrides": ["loss.pixle=3"]}, r"did you mean 'loss\.pixel'"),
    ):
        with pytest.raises(TrainingError, match=words):
            reproduce("aaldc", output=tmp_path / "out", **{"budget": "smoke", **changes})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
