"""How rows are trained, shared, kept and limited; the engine is real, its networks are tiny."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from training import papers
from training.engine import Recipe
from training.errors import TrainingError
from training.metrics import STAND_INS
from training.papers.scoring import Evaluation
from training.reproduce import reproduce

from .engine.tiny import tiny_recipe

Calls = list[tuple[str, str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Recipes of all papers become a tiny one; what was built and evaluated is noted."""
    made: Calls = []

    def build(
        config: Mapping[str, Any], data: Path | None, stage: str, base: Path | None
    ) -> Recipe:
        made.append((stage, config["row"]))
        assert (base is None) == (stage == "main")
        steps = config["train" if stage == "main" else stage]["steps"]
        wanted = ("log_every", "checkpoint_every", "sample_every", "max_seconds", "seed")
        train = {key: config["train"][key] for key in wanted}
        if config["row"] == "sga" and config["train"]["seed"] == 13:
            raise TrainingError("no drawings", "give a folder")
        if config["row"] == "sga" and config["train"]["seed"] == 14:
            raise RuntimeError("a bug\nin two lines")
        return replace(tiny_recipe(**{**train, "steps": steps}), paper=config["paper"], stage=stage)

    def evaluate(
        config: Mapping[str, Any],
        data: Path | None,
        checkpoint: Path | None,
        out: Path,
        device: str,
    ) -> Evaluation:
        made.append(("evaluate", config["row"]))
        assert checkpoint is not None
        assert checkpoint.exists()
        out.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 16)).save(out / "strip-000.png")
        known = {"fid": None, "lpips": None}
        backend = {"perceptual": f"perceptual_{config['eval'].get('perceptual_backend')}"}
        names = [backend.get(name, name) for name in config["eval"]["metrics"]]
        metrics = {name: known.get(name, 1.5) for name in names}
        metrics |= {STAND_INS[name][0]: 3.0 for name in names if metrics[name] is None}
        reasons = {name: "weights absent" for name, value in metrics.items() if value is None}
        strips = [("a", out / "strip-000.png")]
        used = ["squeezenet1_1 sha256:0123456789abcdef"]
        return Evaluation(metrics, reasons, strips, 2, ["saliency=none"], used)

    monkeypatch.setattr(papers, "build", build)
    monkeypatch.setattr(papers, "evaluate", evaluate)
    return made


def rows_of(report: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((report.parent / "report.json").read_text(encoding="utf-8"))
    return {row["name"]: row for table in content["tables"] for row in table["rows"]}


def test_rows_share_stages_and_the_page_tells(calls: Calls, tmp_path: Path) -> None:
    page = reproduce("video", table=1, output=tmp_path, budget="smoke", device="cpu")
    assert calls.count(("main", "full")) + calls.count(("main", "no_temporal")) == 1
    assert sum(kind == "main" for kind, _ in calls) == 8
    assert sum(kind == "refine" for kind, _ in calls) == 8
    assert sum(kind == "evaluate" for kind, _ in calls) == 9
    rows = rows_of(page)
    assert rows["full"]["training"]["stages"] == {"main": 2, "refine": 1}
    assert rows["full"]["training"]["full_stages"] == {"main": 56000, "refine": 1750}
    assert rows["full"]["training"]["planned_stages"] == {"main": 2, "refine": 1}
    assert "<td>2 + 1</td><td>2</td>" in page.read_text("utf-8")
    assert rows["no_temporal"]["training"]["stages"] == {"main": 2}
    assert rows["full"]["stand_ins"] == {"fid": "fid_squeeze"}
    assert rows["full"]["unavailable"] == {"fid": "weights absent"}
    told = "features in its place (weights absent): compare the order, not the size"
    assert told in page.read_text("utf-8")
    assert rows["full"]["pretrained"] == ["squeezenet1_1 sha256:0123456789abcdef"]
    assert rows["full"]["captions"] == ["a"]
    assert "saliency=none" in rows["full"]["training"]["degraded"]
    assert set(rows["full"]["training"]["curves"]) >= {"g/pixel", "refine.g/pixel"}


def test_a_column_shows_what_stood_in_for_its_metric(calls: Calls, tmp_path: Path) -> None:
    page = reproduce("ibn_gan", row="bn", output=tmp_path, budget="smoke", device="cpu")
    row = rows_of(page)["bn"]
    assert row["ours"]["perceptual"] == row["ours"]["psnr"] == 1.5
    assert "PSNR (RGB)" in page.read_text("utf-8")
    assert row["stand_ins"] == {"perceptual": "perceptual_squeeze"}
    told = "ours is measured with the distance of SqueezeNet&#x27;s features in its place"
    assert told in page.read_text("utf-8")


def test_finished_rows_are_kept(calls: Calls, tmp_path: Path) -> None:
    reproduce("aaldc", row="sga", output=tmp_path, budget="smoke", device="cpu")
    made = len(calls)
    page = reproduce("aaldc", output=tmp_path, budget="smoke", device="cpu")
    assert ("main", "sga") not in calls[made:]
    names = ("scft", "scft_ca", "sga", "full")
    assert set(rows_of(page)) == {*names, *(f"{name}_holdout" for name in names)}
    assert rows_of(page)["sga"]["stand_ins"]["lpips"] == "lpips_squeeze"


@pytest.mark.parametrize("budget", ["smoke", "0.02min"])
@pytest.mark.parametrize(
    ("seed", "words"), [(13, "no drawings: give a folder"), (14, "a bug.* NURI_DEBUG=1")]
)
def test_a_failing_row_is_told_and_the_others_run(
    calls: Calls, tmp_path: Path, seed: int, words: str, budget: str
) -> None:
    options: dict[str, Any] = {"budget": budget, "overrides": [f"train.seed={seed}"]}
    with pytest.raises(TrainingError, match=rf"1 row failed.*aaldc/sga: .*{words}"):
        reproduce("aaldc", output=tmp_path, device="cpu", **options)
    page = tmp_path / "aaldc" / "index.html"
    rows = rows_of(page)
    assert re.search(words, rows["sga"]["failure"])
    assert "\n" not in rows["sga"]["failure"]
    for row in ("scft", "scft_ca", "full"):
        assert rows[row]["ours"]["psnr"] == 1.5
    assert re.search(f"not measured: .*{words}", page.read_text("utf-8"))


def test_a_failure_of_every_row_is_told_at_once(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object, **_more: object) -> Recipe:
        raise TrainingError("no drawings", "give a folder")

    monkeypatch.setattr(papers, "build", build)
    with pytest.raises(TrainingError, match=r"^no drawings: give a folder$"):
        reproduce("aaldc", output=tmp_path, budget="20min", device="cpu")


def test_a_time_is_measured_divided_and_kept(calls: Calls, tmp_path: Path) -> None:
    page = reproduce("aaldc", output=tmp_path, budget="0.02min", device="cpu")
    plan = json.loads((tmp_path / "aaldc" / "plan.json").read_text(encoding="utf-8"))
    assert set(plan["seconds_per_step"]) == {"scft", "scft_ca", "sga", "full"}
    steps = {row["training"]["stages"]["main"] for row in rows_of(page).values()}
    assert len(steps) == 1
    assert 0 < plan["factor"] < 1
    assert steps == {max(1, round(250_000 * plan["factor"]))}
    assert not (tmp_path / "aaldc" / "measure").exists()
    made = len(calls)
    reproduce("aaldc", output=tmp_path, budget="0.02min", device="cpu")
    assert len(calls) == made


@pytest.mark.parametrize(
    "changes", [{"budget": "20min"}, {"overrides": ["loss.pixel=3"]}, {"data": Path("elsewhere")}]
)
def test_a_folder_holds_one_kind_of_reproduction(
    calls: Calls, tmp_path: Path, changes: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"row": "sga", "budget": "smoke", "device": "cpu"}
    reproduce("aaldc", output=tmp_path, **options)
    with pytest.raises(TrainingError, match="was made with another"):
        reproduce("aaldc", output=tmp_path, **{**options, **changes})


def test_a_value_taken_from_a_row_is_told(calls: Calls, tmp_path: Path) -> None:
    page = reproduce(
        "aaldc", output=tmp_path, budget="smoke", overrides=["loss.triplet=0"], device="cpu"
    )
    rows = rows_of(page)
    assert rows["scft"]["note"] == "its own loss.triplet = 1.0 was replaced by --set"
    assert rows["sga"]["note"] == ""
    assert "its own loss.triplet = 1.0 was replaced by --set" in page.read_text("utf-8")


def test_all_papers_have_an_index(calls: Calls, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="name one paper"):
        reproduce("all", row="full", output=tmp_path, budget="smoke")
    assert not calls
