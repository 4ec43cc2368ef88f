"""Presets: every row of every table loads, names its sources, and refuses what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import presets
from training.errors import TrainingError
from training.presets.configuration import flatten, read_toml, unflatten
from training.presets.loader import FOLDER, SOURCES

PAPERS = ("aaldc", "ibn_gan", "manga", "smsanet", "video")
ALL = [(paper, row) for paper in PAPERS for row in presets.rows(paper)]
# number of table -> (rows, rows that can be trained)
TABLES = {
    "aaldc": {"1": (8, 8)},
    "ibn_gan": {"1": (7, 7)},
    "manga": {"1": (8, 8)},
    "smsanet": {"1": (7, 2), "2": (3, 3), "3": (5, 5)},
    "video": {
        "1": (9, 9),
        "2": (10, 3),
        "3": (8, 4),
        "4": (8, 4),
        "5": (5, 5),
        "6": (24, 24),
        "7": (6, 6),
    },
}


def test_all_five_papers_have_presets() -> None:
    assert tuple(presets.papers()) == PAPERS


@pytest.mark.parametrize(("paper", "row"), ALL)
def test_every_value_of_every_preset_names_its_source(paper: str, row: str) -> None:
    preset = presets.load(paper, row)
    leaves = flatten(preset.config)
    assert set(preset.sources) == set(leaves)
    assert set(preset.sources.values()) <= set(SOURCES)
    assert preset.title
    assert preset.as_config()["row"] == row


@pytest.mark.parametrize("paper", ["smsanet", "video"])
def test_a_paper_without_its_authors_code_cites_none(paper: str) -> None:
    for row in presets.rows(paper):
        assert "release" not in presets.load(paper, row).sources.values()


@pytest.mark.parametrize("paper", PAPERS)
def test_every_row_of_every_table_is_there(paper: str) -> None:
    counted = {t.number: (len(t.rows), len(t.reproducible)) for t in presets.tables(paper)}
    assert counted == TABLES[paper]


@pytest.mark.parametrize("paper", PAPERS)
def test_no_two_rows_of_a_table_share_name_or_preset(paper: str) -> None:
    for table in presets.tables(paper):
        names = [row.name for row in table.rows]
        used = [row.preset for row in table.reproducible]
        assert len(set(names)) == len(names)
        assert len(set(used)) == len(used)


def test_printed_figures() -> None:
    aaldc = presets.tables("aaldc")[0]
    fid = {row.name: row.values["fid"] for row in aaldc.rows if row.values}
    assert (fid["sga"] - fid["full"]) / fid["sga"] == pytest.approx(0.1735, abs=1e-4)
    assert (fid["scft"] - fid["full"]) / fid["scft"] == pytest.approx(0.5055, abs=1e-4)
    cbam, se, smsa = presets.tables("smsanet")[1].rows
    assert smsa.values["psnr"] - cbam.values["psnr"] == pytest.approx(0.2991)
    assert smsa.values["psnr"] - se.values["psnr"] == pytest.approx(0.2186)
    video = presets.tables("video")
    assert video[4].rows[1].values["fid"] == video[0].rows[-2].values["fid"] == 27.67
    assert not next(row for row in video[6].rows if row.name == "finetuned_8").ranked


def test_the_held_out_rows_of_aaldc_differ_in_their_data_alone() -> None:
    (table,) = presets.tables("aaldc")
    printed = [row.name for row in table.rows if row.values]
    unprinted = [row for row in table.rows if not row.values]
    assert [row.name for row in unprinted] == [f"{name}_holdout" for name in printed]
    for row, name in zip(unprinted, printed, strict=True):
        assert not row.ranked and row.note
        assert presets.find_tables("aaldc", None, row.name)[0].rows == (row,)
        own = flatten(presets.load("aaldc", row.preset).config)
        other = flatten(presets.load("aaldc", name).config)
        assert {key: own[key] for key in own if own[key] != other[key]} == {"data.holdout": True}


def test_the_design_of_the_line_extractor_is_ours() -> None:
    preset = presets.load("aaldc", "line_extractor")
    decided = ["loss.pixel", "loss.perceptual", "loss.vgg_input", "train.batch", "train.steps"]
    decided += ["optim.generator.betas", "optim.generator.lr", "data.size", "data.lines"]
    assert {key: preset.source(key) for key in decided} == dict.fromkeys(decided, "ours")


def test_ibn_gan_shows_both_kinds_of_psnr() -> None:
    (table,) = presets.tables("ibn_gan")
    labels = {metric.key: metric.label for metric in table.metrics}
    assert labels["ab_psnr"] == "PSNR (ab)" and labels["psnr"] == "PSNR (RGB)"
    assert not any("psnr" in row.values for row in table.rows)


def test_schedules_of_the_papers() -> None:
    assert presets.load("manga").config["train"]["steps"] == 59164 // 4 * 20
    assert presets.load("ibn_gan").config["train"]["steps"] == 50000 // 16 * 200
    assert presets.load("video").config["train"]["steps"] == 5600 // 4 * 40
    assert presets.load("aaldc", "release").config["train"]["steps"] == 600_000
    assert presets.load("aaldc", "release").source("train.steps") == "release"
    manga = presets.load("manga", "release").config["data"]
    assert manga["hint"]["sparse"] == 0.495 and manga["xdog"]["test_scale"] == 7
    assert presets.load("smsanet").config["loss"]["huber_beta"] == pytest.approx(1 / 110)


def test_rows_differ_from_the_full_model_in_their_toggles_alone() -> None:
    def changes(paper: str, row: str) -> dict[str, object]:
        full = flatten(presets.load(paper, "default").config)
        leaves = flatten(presets.load(paper, row).config)
        return {key: value for key, value in leaves.items() if full[key] != value}

    assert changes("aaldc", "full") == {}
    assert changes("aaldc", "sga") == {"model.encoder_attention": "none"}
    assert changes("video", "no_style") == {"loss.style": 0.0}
    assert changes("video", "first_twice") == {"references.evaluate": "first"}
    assert changes("smsanet", "smsa") == {"loss.salient": 0.0}
    assert changes("manga", "without_4_5") == {"eval.auto_hint": False}


@pytest.mark.parametrize("paper", PAPERS)
def test_budgets_change_what_exists_and_keep_its_type(paper: str) -> None:
    budgets = read_toml(FOLDER / paper / "budgets.toml")
    assert set(budgets) == {"smoke", "short", "long"}
    full = flatten(presets.load(paper).config)
    for changes in budgets.values():
        assert set(flatten(changes)) <= set(full)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("loss.pixel=31", 31.0),
        ("train.steps=1_000", 1000),
        ("data.recolor=yes", True),
        ("data.set=pairs_openmoji", "pairs_openmoji"),
        ("optim.generator.betas=0.9,0.99", [0.9, 0.99]),
        ("optim.generator.betas=[0.9, 0.99]", [0.9, 0.99]),
        ('eval.metrics=["psnr"]', ["psnr"]),
    ],
)
def test_settings_are_typed_by_the_value_they_replace(setting: str, value: object) -> None:
    key = setting.partition("=")[0]
    preset = presets.load("aaldc", "full", [setting])
    found = flatten(preset.config)[key]
    assert found == value
    assert type(found) is type(value)
    assert preset.source(key) == "given"
    assert presets.load("aaldc", "full").source(key) != "given"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("loss.pixle=3", "did you mean 'loss.pixel'?"),
        ("pixel=3", "did you mean 'loss.pixel'?"),
        ("train.stpes=3", "did you mean 'train.steps'?"),
        ("loss.pixel=much", "give a number like 30.0"),
        ("train.steps=1.5", "give a whole number"),
        ("data.recolor=maybe", "give true or false"),
        ("loss=3", "'loss' is a table"),
        ("loss.pixel", "no value"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(setting: str, words: str) -> None:
    with pytest.raises(TrainingError) as failure:
        presets.load("aaldc", "full", [setting])
    assert words in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("paper", "row", "words"),
    [
        ("aalcd", "full", "did you mean 'aaldc'?"),
        ("aaldc", "sgaa", "did you mean 'sga'?"),
        ("aaldc", "defaults", "did you mean 'default'?"),
    ],
)
def test_a_wrong_name_suggests_the_right_one(paper: str, row: str, words: str) -> None:
    with pytest.raises(TrainingError) as failure:
        presets.load(paper, row)
    assert words in str(failure.value)


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_written_is_read_back(paper: str, tmp_path: Path) -> None:
    preset = presets.load(paper, presets.rows(paper)[1], ["train.seed=7", 'data.set=a "b" \\c'])
    path = tmp_path / "mine.toml"
    path.write_text(preset.to_toml(), encoding="utf-8")
    again = presets.parse(str(path))
    assert again.config == preset.config
    assert again.sources == preset.sources


def test_a_file_may_name_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('paper = "aaldc"\nrow = "sga"\n[loss]\npixel = 12\n', encoding="utf-8")
    preset = presets.parse(str(path), ["loss.style=1"])
    assert preset.config["loss"]["pixel"] == 12.0
    assert preset.config["loss"]["style"] == 1.0
    assert preset.config["model"]["encoder_attention"] == "none"
    assert preset.source("loss.pixel") == "given"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[loss]\npixel = 3.0\n", "names no paper"),
        ('paper = "aaldc"\n[loss]\npixle = 3.0\n', "did you mean 'loss.pixel'?"),
        ('paper = "aaldc"\n[loss]\npixel = "much"\n', "give a number"),
        ("paper = ", "not a TOML file"),
    ],
)
def test_a_faulty_file_is_named(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError) as failure:
        presets.parse(str(path))
    assert words in str(failure.value)
    assert "mine.toml" in str(failure.value)


def test_finding_tables() -> None:
    (table,) = presets.find_tables("video", "5")
    assert [row.preset for row in table.rows] == [f"references_{count}" for count in range(1, 6)]
    found = presets.find_tables("smsanet", None, "smsa")
    assert [(table.number, len(table.rows)) for table in found] == [("2", 1), ("3", 1)]
    with pytest.raises(TrainingError, match="it has 1, 2, 3"):
        presets.find_tables("smsanet", "9")
    with pytest.raises(TrainingError, match="only quotes"):
        presets.find_tables("video", "2", "funit")


def test_flattening_is_undone() -> None:
    config = presets.load("manga").config
    assert unflatten(flatten(config)) == config


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper != "smsanet"])
def test_a_start_that_nobody_reads_is_refused(paper: str) -> None:
    with pytest.raises(TrainingError, match=r"there is no setting 'train\.init'"):
        presets.parse(paper, ["train.init=siggraph17"])
