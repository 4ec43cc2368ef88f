"""The parts of a report's page, but for its table of figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from training.report.charts import line_chart
from training.report.content import Report, RowReport, TableReport, TrainingReport
from training.report.figures import NOTHING
from training.report.pictures import data_address
from training.report.verdict import caveat, overall, verdict

Trainings = Sequence[tuple[str, TrainingReport]]
DIGEST = 12  # characters of a digest that are shown; report.json has all


def verdict_box(table: TableReport) -> str:
    """Whether the order of the rows agrees, in plain sentences."""
    results = verdict(table)
    agreeing = sum(result.agreeing for result in results)
    pairs = sum(result.pairs for result in results)
    against = " open" if not pairs else "" if agreeing * 2 > pairs else " no"
    items = "".join(f"<li>{escape(result.sentence)}</li>" for result in results)
    listed = f"<ul>{items}</ul>" if items else ""
    doubt = f"<p>{escape(caveat(table))}</p>" if pairs else ""
    said = f"<strong>{escape(overall(table))}</strong>{listed}{doubt}"
    return f'<div class="verdict{against}">{said}</div>'


def pictures(table: TableReport, out: Path) -> str:
    """Strips of pictures, the rows of a table one below the other for the same drawing."""
    figures = []
    count = max((len(row.pictures) for row in table.rows), default=0)
    for place in range(count):
        for row in table.rows:
            if place < len(row.pictures):
                address, width, height = data_address(out / row.pictures[place])
                alt = f"{row.label}, picture {place + 1}: input, reference, result and truth"
                caption = " · ".join((row.label, *row.captions[place : place + 1]))
                figures.append(
                    f'<figure><img src="{address}" width="{width}" height="{height}" '
                    f'loading="lazy" alt="{escape(alt)}">'
                    f"<figcaption>{escape(caption)}</figcaption></figure>"
                )
    if not figures:
        return ""
    told = (
        '<p class="soft">Each strip: input, the reference where there is one, result, and the '
        "truth where it is known.</p>"
    )
    return f'<h3>Pictures</h3>{told}<div class="pictures">{"".join(figures)}</div>'


def schedule_table(trainings: Trainings) -> str:
    """What was trained, for how long and on what, beside the paper's schedule."""
    common = [
        line
        for line in trainings[0][1].degraded
        if len(trainings) > 1 and all(line in training.degraded for _, training in trainings)
    ]
    told = "".join(f"<li>{escape(line)}</li>" for line in common)
    always = f"<p>Not as in the paper, in every row:</p><ul>{told}</ul>" if told else ""
    rows = "".join(_schedule_row(label, training, common) for label, training in trainings)
    heads = (
        "Training",
        "Data",
        "Steps (paper)",
        "Batch",
        "Side",
        "Parameters",
        "Time",
        "Not as in the paper",
    )
    head = "".join(f'<th scope="col" class="text">{name}</th>' for name in heads)
    return (
        f'{always}<div class="scroll" tabindex="0" role="region" aria-label="What was trained">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _schedule_row(label: str, training: TrainingReport, common: Sequence[str]) -> str:
    steps = "<br>".join(
        f"{escape(stage)} {done:,} ({training.full_stages.get(stage, 0):,})"
        for stage, done in training.stages.items()
    )
    own = [escape(line) for line in training.degraded if line not in common]
    degraded = "<br>".join(own) or NOTHING
    return (
        f'<tr><th scope="row">{escape(label)}</th>'
        f'<td class="text">{escape(training.data)}, {training.items:,} items</td>'
        f'<td class="text firm">{steps or "none"}</td><td>{training.batch}</td>'
        f"<td>{training.size} px</td>"
        f"<td>{training.parameters:,}</td><td>{duration(training.seconds)} "
        f'<span class="soft">{escape(training.device)}, {escape(training.precision)}</span></td>'
        f'<td class="text long">{degraded}</td></tr>'
    )


def networks_list(table_rows: Iterable[RowReport]) -> str:
    """The pretrained networks of others that training and measuring used."""
    used = sorted({line for row in table_rows for line in row.pretrained})
    if not used:
        return ""
    told = ", ".join(_shortened(line) for line in used)
    return f"<p>Pretrained networks used, in training or measuring: {escape(told)}.</p>"


def _shortened(line: str) -> str:
    name, _, digest = line.partition(" sha256:")
    return f"{name} (sha256 {digest[:DIGEST]}…)"


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def curves(trainings: Trainings) -> str:
    """One chart for each logged term, the trainings as its lines."""
    names = list(dict.fromkeys(name for _, training in trainings for name in training.curves))
    charts = [
        line_chart(f"curve-{index}", _term(name), _series(name, trainings))
        for index, name in enumerate(names)
    ]
    shown = [chart for chart in charts if chart]
    if not shown:
        return ""
    return f'<h3>Learning curves</h3><div class="charts">{"".join(shown)}</div>'


def spreads(table: TableReport) -> str:
    """How often each a and b of CIE Lab comes, all rows beside the truth."""
    rows = [row for row in table.rows if row.spread]
    charts = []
    for channel in ("a", "b"):
        series = {row.label: row.spread[channel] for row in rows}
        if rows:
            series["truth"] = rows[0].spread[f"{channel} of the truth"]
        title = f"{channel} of CIE Lab: natural logarithm of pixels a picture"
        charts.append(line_chart(f"spread-{table.number}-{channel}", title, series, channel))
    shown = "".join(charts)
    return f'<h3>How often colours come</h3><div class="charts">{shown}</div>' if shown else ""


def _series(name: str, trainings: Trainings) -> Mapping[str, Sequence[tuple[float, float]]]:
    return {
        label: training.curves[name] for label, training in trainings if name in training.curves
    }


def _term(name: str) -> str:
    side, _, term = name.rpartition("/")
    owner = {"g": "generator", "d": "critic"}.get(side.rsplit(".", 1)[-1], side)
    stage = f"{side.rsplit('.', 1)[0]}, " if "." in side else ""
    return f"{stage}{owner}: {term}" if owner else term


def settings_list(report: Report) -> str:
    """For each row, the values by which it differs from the paper's full model."""
    parts = []
    seen = set()
    for row in (row for table in report.tables for row in table.rows):
        if row.settings and row.preset not in seen:
            seen.add(row.preset)
            lines = "".join(
                f'<tr><th scope="row"><code>{escape(setting.key)}</code></th>'
                f'<td class="text"><code>{escape(str(setting.value))}</code></td>'
                f'<td class="text">{escape(setting.source)}</td></tr>'
                for setting in row.settings
            )
            parts.append(
                f"<details><summary>{escape(row.label)}</summary>"
                '<div class="scroll"><table><thead><tr>'
                '<th scope="col" class="text">Setting</th><th scope="col" class="text">Value</th>'
                '<th scope="col" class="text">Source</th></tr></thead>'
                f"<tbody>{lines}</tbody></table></div></details>"
            )
    if not parts:
        return ""
    introduction = (
        '<p class="soft">Only what differs from the full model of the paper. Source: paper, '
        "release (code of the authors), ours (nobody says), given (by you), budget (cut to the "
        "time).</p>"
    )
    return f"<h2>Settings</h2>{introduction}{''.join(parts)}"
