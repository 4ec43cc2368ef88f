"""Planning a reproduction: budgets, shared trainings, a time divided over rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training import presets
from training.errors import TrainingError
from training.files import write_json
from training.metrics import Evaluator
from training.presets import Preset
from training.presets.configuration import flatten
from training.reproduce.budget import (
    TRAINING_SHARE,
    Budget,
    divide,
    parse_budget,
    reduced,
    shortened,
    weight,
)
from training.reproduce.laboratory import read_json
from training.reproduce.plan import StageRun, distinct, stage_runs
from training.reproduce.rows import chosen_rows, overwritten, with_overrides

ALL_STAGES = ("main", "refine", "finetune")


def chain(paper: str, row: str, *stages: str) -> list[StageRun]:
    return stage_runs(presets.load(paper, row), stages or ("main",))


def keys(paper: str, row: str, *stages: str) -> list[str]:
    return [run.key for run in chain(paper, row, *stages)]


@pytest.mark.parametrize(
    ("text", "section", "seconds"),
    [
        (None, "", 0.0),
        ("smoke", "smoke", 0.0),
        ("20min", "short", 1200.0),
        ("1.5h", "short", 5400.0),
        ("6h", "long", 21600.0),
    ],
)
def test_budgets_are_read(text: str | None, section: str, seconds: float) -> None:
    budget = parse_budget(text)
    assert budget.section == section
    assert budget.seconds == seconds
    assert budget.sentence().endswith(".")


@pytest.mark.parametrize("text", ["soon", "20", "0min", "-3h", "20minutes", "h"])
def test_a_faulty_budget_is_told(text: str) -> None:
    with pytest.raises(TrainingError, match="20min or 6h"):
        parse_budget(text)


def test_a_smoke_run_is_small_and_marked() -> None:
    preset = reduced(presets.load("video", "no_style"), parse_budget("smoke"))
    assert preset.config["train"]["steps"] == 2
    assert preset.source("train.steps") == "budget"
    assert preset.config["loss"]["style"] == 0.0
    assert preset.source("loss.style") == "paper"


def test_a_budget_leaves_a_rows_point_alone() -> None:
    untrained = reduced(presets.load("smsanet", "basenet"), parse_budget("smoke"))
    assert untrained.config["train"]["steps"] == 0
    alacgan = reduced(presets.load("manga", "alacgan"), parse_budget("20min"))
    assert alacgan.config["model"]["name"] == "alacgan"
    weights = {
        row: reduced(presets.load("video", row), parse_budget("20min")).config["loss"]
        for row in ("full", "no_style", "no_perceptual")
    }
    assert weights["full"]["style"] > 0.0 and weights["full"]["perceptual"] > 0.0
    assert weights["no_style"]["style"] == weights["no_perceptual"]["perceptual"] == 0.0


@pytest.mark.parametrize("paper", presets.papers())
@pytest.mark.parametrize("budget", ["smoke", "20min", "6h"])
def test_every_row_of_every_table_can_be_reduced(paper: str, budget: str) -> None:
    for table in presets.tables(paper):
        for row in table.reproducible:
            full = presets.load(paper, row.preset)
            small = reduced(full, parse_budget(budget))
            assert set(flatten(small.config)) == set(flatten(full.config))
            assert small.config["data"]["size"] <= full.config["data"]["size"]


@pytest.mark.parametrize("paper", presets.papers())
@pytest.mark.parametrize("budget", ["", "20min"])
def test_every_column_of_a_table_is_measured_under_a_name_it_knows(paper: str, budget: str) -> None:
    for table in presets.tables(paper):
        (preset, *_) = chosen_rows(paper, [table], parse_budget(budget), []).values()
        settings = preset.config["eval"]
        backend = settings.get("perceptual_backend", "keras")
        measured = Evaluator(settings["metrics"], perceptual_backend=backend).compute()
        for metric in table.metrics:
            assert {metric.key, *metric.stand_ins} & set(measured), metric.key


def test_stand_ins_are_asked_for_where_the_evaluator_has_none() -> None:
    chosen = chosen_rows("aaldc", presets.find_tables("aaldc"), parse_budget("smoke"), [])
    assert chosen["full"].config["eval"]["metrics"] == ["fid", "psnr", "ms_ssim", "lpips", "ssim"]


def test_rows_with_the_same_training_share_it() -> None:
    assert keys("video", "full") == keys("video", "no_temporal") == keys("video", "first_twice")
    assert keys("video", "full") == keys("video", "references_2") == keys("video", "series_3")
    assert keys("manga", "without_4_5") == keys("manga", "without_5")
    assert keys("video", "clips", *ALL_STAGES[:2]) == keys("video", "full", *ALL_STAGES[:2])


def test_rows_with_another_training_do_not_share_it() -> None:
    rows = [row.preset for row in presets.tables("video")[0].rows]
    found = {row: keys("video", row)[0] for row in rows if row != "no_temporal"}
    assert len(set(found.values())) == len(found)
    assert len({keys("aaldc", row)[0] for row in ("scft", "scft_ca", "sga", "full")}) == 4
    counts = {keys("video", f"references_{count}")[0] for count in range(1, 6)}
    assert len(counts) == 5


def test_fine_tuned_rows_share_what_comes_before() -> None:
    third, fourth = keys("video", "series_3", *ALL_STAGES), keys("video", "series_4", *ALL_STAGES)
    assert third[:2] == fourth[:2]
    assert third[2] != fourth[2]
    rows = ("clips_finetuned", "finetuned_32")  # they differ in the shots that are measured
    assert len({tuple(keys("video", row, *ALL_STAGES)) for row in rows}) == 1
    normal = keys("manga", "without_5", "main", "finetune")
    extended = keys("manga", "with_1_5", "main", "finetune")
    assert normal[0] == extended[0]
    assert normal[1] != extended[1]
    hues = {tuple(keys("video", f"atd_8_hue_{hue}", *ALL_STAGES)) for hue in (0, 90, 180, 270)}
    assert len(hues) == 1


def test_every_stage_is_trained_once_and_after_its_base() -> None:
    chains = [
        chain("video", row.preset, *ALL_STAGES)
        for table in presets.tables("video")
        for row in table.reproducible
    ]
    runs = distinct(chains)
    seen: set[str] = set()
    for run in runs:
        assert run.key not in seen
        assert run.after is None or run.after in seen
        seen.add(run.key)


def test_how_a_run_logs_does_not_change_its_name() -> None:
    preset = presets.load("aaldc", "full")
    other = preset.with_settings(["train.log_every=3", "data.workers=0", "eval.limit=9"])
    assert stage_runs(preset, ["main"])[0].key == stage_runs(other, ["main"])[0].key
    longer = preset.with_settings(["train.steps=3"])
    assert stage_runs(preset, ["main"])[0].key != stage_runs(longer, ["main"])[0].key


def seconds_of(rows: list[Preset], per_step: float) -> float:
    return sum(flatten(row.config)["train.steps"] * per_step for row in rows)


def test_a_time_is_divided_over_the_rows() -> None:
    budget = parse_budget("20min")
    rows = [presets.load("aaldc", name) for name in ("scft", "scft_ca", "sga", "full")]
    per_step = 0.1
    factor = divide(budget, sum(weight("train.steps", row) * per_step for row in rows))
    short = [shortened(row, factor) for row in rows]
    assert len({row.config["train"]["steps"] for row in short}) == 1
    assert seconds_of(short, per_step) == pytest.approx(1200 * TRAINING_SHARE, rel=0.01)
    assert short[0].source("train.steps") == "budget"


def test_later_stages_keep_a_share_and_never_exceed_the_paper() -> None:
    full = presets.load("video", "full")
    short = flatten(shortened(full, 0.01).config)
    assert short["train.steps"] == 560
    assert short["refine.steps"] == 280
    assert shortened(full, 1.0).config["refine"] == full.config["refine"]
    assert shortened(presets.load("smsanet", "basenet"), 0.5).config["train"]["steps"] == 0
    assert shortened(full, 1e-9).config["train"]["steps"] == 1


def test_steps_that_a_person_set_are_not_cut() -> None:
    preset = presets.load("aaldc", "full", ["train.steps=123"])
    assert shortened(preset, 0.01).config["train"]["steps"] == 123


def given(paper: str, row: str, *settings: str) -> Preset:
    return with_overrides(presets.load(paper, row), settings)


def test_lengths_that_are_a_rows_own_keep_their_proportion() -> None:
    steps = ["train.steps=150", "finetune.steps=24"]
    assert flatten(given("manga", "without_5", *steps).config)["finetune.steps"] == 24
    extended = given("manga", "with_1_5", *steps)
    assert extended.config["finetune"]["steps"] == 96
    assert extended.config["train"]["steps"] == 150
    assert extended.source("finetune.steps") == "given"
    assert given("manga", "alacgan", *steps).config["train"]["steps"] == 127
    assert given("smsanet", "basenet", "train.steps=200").config["train"]["steps"] == 0
    assert given("smsanet", "basenet_huber", "train.steps=200").config["train"]["steps"] == 200
    assert given("manga", "with_1_5", "finetune.steps=0").config["finetune"]["steps"] == 0
    assert shortened(extended, 0.01).config["finetune"]["steps"] == 96


def test_other_values_that_a_person_takes_from_a_row_are_named() -> None:
    assert overwritten(given("video", "no_style", "loss.style=7")) == ["loss.style = 0.0"]
    assert overwritten(given("video", "no_style", "loss.latent=7", "loss.style=0")) == []
    assert overwritten(given("manga", "with_1_5", "finetune.steps=24")) == []
    assert overwritten(given("video", "full", "loss.style=7")) == []


def test_a_generous_budget_is_the_paper_schedule() -> None:
    assert divide(parse_budget("6h"), 60.0) == 1.0
    assert divide(Budget("6h", 21600.0), 0.0) == 1.0


def test_facts_are_written_whole_and_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows" / "full.json"
    assert read_json(path) is None
    write_json(path, {"psnr": 3.0})
    assert read_json(path) == json.loads(path.read_text(encoding="utf-8")) == {"psnr": 3.0}
    path.write_text("{", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"full\.json is damaged"):
        read_json(path)
