"""The report: figures, verdict, curves and pictures in one page that needs nothing else."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from scipy.stats import kendalltau

from training.errors import TrainingError
from training.report import (
    MetricReport,
    Report,
    RowReport,
    Setting,
    TableReport,
    TrainingReport,
    agreement,
    verdict,
    write_index,
    write_report,
)
from training.report.charts import line_chart, thin, ticks
from training.report.pictures import shrink
from training.report.verdict import caveat, overall, uneven

VOID = {"meta", "img", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Collects what a page holds; fails on tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.identifiers: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.identifiers.append(str(values["id"]))
        self.addresses += [str(values[name]) for name in ("src", "href") if values.get(name)]
        if tag == "img":
            self.images.append(values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def row(name: str, paper: float, ours: float, **changes: object) -> RowReport:
    base = RowReport(name, f"Row {name}", name, {"psnr": paper}, {"psnr": ours})
    return replace(base, **changes)


def table(*rows: RowReport) -> TableReport:
    return TableReport(
        "1", "Ablation", "on inner frames", (MetricReport("psnr", "PSNR", "high"),), rows
    )


def training(run: str = "main-1", done: int = 300, planned: int = 300) -> TrainingReport:
    return TrainingReport(
        run,
        "procedural toon",
        64,
        {"main": done},
        {"main": planned},
        {"main": 250_000},
        61.0,
        16,
        64,
        "fp32",
        1_234_567,
        "cpu",
        ("perceptual=none: no weights",),
        {"g/pixel": ((10, 3.0), (20, float("nan")), (30, 1.5))},
    )


def report(*rows: RowReport) -> Report:
    return Report("aaldc", "A <paper>", "Budget of 20min", "procedural toon", (table(*rows),))


def test_agreement_counts_pairs_as_kendall_does() -> None:
    chance = random.Random(3)
    for _ in range(20):
        names = [str(index) for index in range(7)]
        paper = {name: chance.random() for name in names}
        ours = {name: chance.random() for name in names}
        found = agreement(paper, ours, "high")
        tau = kendalltau(list(paper.values()), list(ours.values())).statistic
        assert (found.agreeing - found.disagreeing) / found.pairs == pytest.approx(tau)


def test_agreement_does_not_count_ties_of_the_paper() -> None:
    found = agreement({"a": 1.0, "b": 1.0, "c": 2.0}, {"a": 5.0, "b": 4.0, "c": 4.0}, "low", "FID")
    assert (found.agreeing, found.disagreeing, found.equal) == (0, 1, 1)
    assert found.sentence.startswith("FID: 0 of 2 pairs in the paper's order, 1 equal here")


@pytest.mark.parametrize(("better", "best"), [("high", "b"), ("low", "a")])
def test_the_best_row_follows_the_direction(better: str, best: str) -> None:
    found = agreement({"a": 1.0, "b": 2.0}, {"a": 10.0, "b": 20.0}, better)
    assert found.best_paper == found.best_ours == best


def test_the_verdict_leaves_out_rows_that_cannot_be_compared() -> None:
    rows = (
        row("a", 1.0, 1.0),
        row("b", 2.0, 2.0),
        row("copy", 9.0, 0.0, ranked=False),
        RowReport("quoted", "Quoted", "", {"psnr": 30.0}),
    )
    (found,) = verdict(table(*rows))
    assert (found.agreeing, found.pairs) == (1, 1)
    mixed = (*rows[:2], row("c", 3.0, 0.0, stand_ins={"psnr": "another"}))
    assert verdict(table(*mixed)) == []
    assert "Too few rows" in overall(table(*mixed))


def trained(*lengths: tuple[int, int]) -> TableReport:
    """Rows "0", "1", ... with these steps done and planned; ours order them as the paper does."""
    rows = [
        row(str(index), float(index), float(index), training=training(f"main-{index}", *length))
        for index, length in enumerate(lengths)
    ]
    return table(*rows)


def test_rows_of_another_length_take_no_part_in_the_order() -> None:
    stopped = trained((150, 150), (102, 150), (103, 150), (100, 150), (150, 150))
    assert set(uneven(stopped)) == {"0", "4"}
    assert uneven(stopped)["0"].startswith("had 100% of its planned steps, where others had 69%")
    (found,) = verdict(stopped)
    assert (found.agreeing, found.pairs) == (3, 3)
    assert overall(stopped).endswith(
        "over 1 metric. Left out, for their lengths: “Row 0”, “Row 4”."
    )


def test_rows_that_all_differ_in_length_are_not_compared() -> None:
    every = trained((207, 415), (177, 415), (376, 415))
    assert set(uneven(every)) == {"0", "1"}
    assert verdict(every) == []
    assert overall(every).startswith(
        "Too few rows were measured here for the same share of their schedules to compare"
    )


def test_rows_whose_schedules_differ_in_the_paper_are_compared() -> None:
    assert uneven(trained((20, 20), (80, 80), (79, 80))) == {}
    untrained = row("basenet", 9.0, 9.0)
    (found,) = verdict(table(untrained, *trained((20, 20), (80, 80)).rows))
    assert found.pairs == 3


def test_the_page_shows_the_steps_of_each_row(tmp_path: Path) -> None:
    rows = trained((150, 150), (102, 150), (1500, 1500)).rows
    page = write_report(report(*(replace(one, evaluated=12) for one in rows)), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"<td>([\d, of]+)</td><td>12</td>", text) == ["150", "102 of 150", "1,500"]
    assert "had 68% of its planned steps" in Page(text).text
    assert text.count('class="ours best"') == 1
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(content["tables"][0]["verdict"]["left_out"]) == {"1"}


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        ((1.0, 2.0, 3.0), "come in the paper's order: 3 of 3"),
        ((2.0, 1.0, 3.0), "only in part: 2 of 3"),
        ((3.0, 2.0, 1.0), "does not agree with the paper: 0 of 3"),
    ],
)
def test_the_verdict_is_a_plain_sentence(ours: tuple[float, ...], words: str) -> None:
    rows = [row(str(index), float(index), value) for index, value in enumerate(ours)]
    assert words in overall(table(*rows))


def test_the_page_stands_alone_and_says_everything(tmp_path: Path) -> None:
    Image.new("RGB", (1800, 400), "red").save(tmp_path / "strip.png")
    picture = shrink(tmp_path / "strip.png", tmp_path / "pictures" / "a.webp")
    rows = (
        row(
            "a",
            21.5,
            20.25,
            training=training(),
            pictures=(picture.relative_to(tmp_path).as_posix(),),
            settings=(Setting("loss.style", 0.0, "paper"), Setting("train.steps", 3, "budget")),
        ),
        row("b", 22.5, 23.75, training=training("main-2"), stand_ins={"psnr": "psnr_other"}),
        RowReport("c", "<script>alert(1)</script>", "", {"psnr": 30.0}, note="by & by"),
        RowReport("d", "Row d", "d", {"psnr": 9.0}, failure="no data"),
    )
    page = write_report(report(*rows), tmp_path)
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert "<script" not in text
    assert len(set(found.identifiers)) == len(found.identifiers)
    assert all(address.startswith(("data:", "#")) for address in found.addresses)
    assert found.images[0]["alt"]
    assert (found.images[0]["width"], found.images[0]["height"]) == ("900", "200")
    for words in (
        "21.5", "20.25", "23.75", "Budget of 20min", "perceptual=none: no weights",
        "300 (250,000)",
        "loss.style", "1,234,567", "quoted only", "by & by", "other authors' systems",
        "not measured: no data", "measured with psnr_other", "Row a from 3 to 1.5",
    ):  # fmt: skip
        assert words in found.text, words
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_the_page_says_how_much_the_order_is_worth(tmp_path: Path) -> None:
    rows = trained((150, 150), (150, 150)).rows
    page = write_report(report(*rows), tmp_path)
    told = "Each row was trained once, for at most 0.06% of the paper's steps"
    text = Page(page.read_text(encoding="utf-8")).text
    assert told in text and "half of the pairs would agree. So early the order says little" in text
    whole = [replace(one.training, stages={"main": 250_000}) for one in rows if one.training]
    said = caveat(table(*(replace(one, training=whole[0]) for one in rows)))
    assert said.startswith("Each row was trained once: small differences") and "early" not in said
    assert caveat(table(row("a", 1.0, 1.0))) == ""


def test_the_page_names_pretrained_networks_and_what_strips_show(tmp_path: Path) -> None:
    Image.new("RGB", (90, 20), "red").save(tmp_path / "a.png")
    used = ("vgg19 sha256:dcbb9e9d0123456789", "squeezenet1_1 sha256:0123456789abcdef")
    one = row(
        "a", 1.0, 2.0, training=training(), pretrained=used,
        pictures=("a.png",), captions=("random-reference drawing 3",),
    )  # fmt: skip
    two = row("b", 2.0, 1.0, training=training("main-2"), pretrained=used[:1])
    text = Page(write_report(report(one, two), tmp_path).read_text(encoding="utf-8")).text
    assert "squeezenet1_1 (sha256 0123456789ab…), vgg19 (sha256 dcbb9e9d0123…)." in text
    assert "Row a · random-reference drawing 3" in text


def test_the_page_draws_how_often_colours_come(tmp_path: Path) -> None:
    spread = {
        f"{channel}{whose}": [(-1, 0.5), (0, 3.0), (1, 0.2)]
        for channel in "ab"
        for whose in ("", " of the truth")
    }
    rows = row("one", 20, 21, spread=spread), row("two", 22, 23)
    page = Page(write_report(report(*rows), tmp_path).read_text())
    assert "How often colours come" in page.text
    assert page.text.count("natural logarithm of pixels a picture") == 4  # captions and titles
    assert {"spread-1-a-t", "spread-1-b-t"} <= set(page.identifiers)
    plain = Page(write_report(report(row("two", 22, 23)), tmp_path).read_text())
    assert "How often" not in plain.text


def test_the_json_holds_figures_and_verdict(tmp_path: Path) -> None:
    write_report(report(row("a", 1.0, 2.0, training=training()), row("b", 2.0, 1.0)), tmp_path)
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (entry,) = content["tables"]
    assert entry["rows"][0]["ours"] == {"psnr": 2.0}
    assert entry["verdict"]["metrics"][0]["disagreeing"] == 1
    assert entry["rows"][0]["training"]["stages"] == {"main": 300}


def test_the_index_leads_to_every_paper(tmp_path: Path) -> None:
    page = write_index([(report(row("a", 1.0, 2.0)), "aaldc/index.html")], tmp_path)
    assert Page(page.read_text(encoding="utf-8")).addresses == ["aaldc/index.html"]


def test_curves_leave_out_what_is_not_a_number() -> None:
    assert thin([(1, 2.0), (2, float("inf")), (3, float("nan"))]) == [(1.0, 2.0)]
    assert line_chart("c", "Loss", {"a": [(1, float("nan"))]}) == ""
    chart = line_chart("c", "Loss", {"a": [(1, 2.0)], "b": [(1, 2.0), (9, 2.0)]})
    Page(chart)
    assert "nan" not in chart
    assert 'role="img"' in chart
    assert "<desc" in chart


def test_long_curves_are_thinned_to_their_mean() -> None:
    points = thin([(step, float(step % 2)) for step in range(3200)])
    assert len(points) <= 160
    assert all(value == 0.5 for _, value in points)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3.2, 0.01), (1e-6, 2e-6), (5.0, 5.0), (0, 0)]
)
def test_ticks_enclose_values(low: float, high: float) -> None:
    values = ticks(low, high, 5)
    assert values[0] <= low <= high <= values[-1]
    assert 2 <= len(values) <= 8
    assert values == sorted(set(values))


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "strip.png").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"strip\.png"):
        shrink(tmp_path / "strip.png", tmp_path / "a.webp")
