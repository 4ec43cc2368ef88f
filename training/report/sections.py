"""The parts of a report's page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from training.report.charts import line_chart
from training.report.content import MetricReport, Report, RowReport, TableReport, TrainingReport
from training.report.pictures import data_address
from training.report.verdict import caveat, overall, uneven, verdict

Trainings = Sequence[tuple[str, TrainingReport]]
NOTHING = "&ndash;"
MEASURES = {
    "fid_squeeze": "the Fréchet distance of SqueezeNet's features",
    "lpips_squeeze": "LPIPS with SqueezeNet",
    "perceptual_torchvision": "the distance of the features of torchvision's VGG-19",
    "perceptual_squeeze": "the distance of SqueezeNet's features",
    "perceptual_random": "the distance of the features of a VGG-19 with random weights",
    "ssim": "SSIM at one scale",
}
DIGEST = 12  # characters of a digest that are shown; report.json has all
QUOTED = (
    "the paper's figures of other authors' systems, which the specification does not describe: "
    "there is nothing here to train"
)


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


def figures_table(table: TableReport) -> str:
    """The paper's figures beside ours, row by row, best ones bold, with notes below."""
    notes: list[str] = []
    heads = "".join(
        f'<th scope="colgroup" colspan="2">{escape(metric.label)} '
        f'<span class="soft">{"↑" if metric.better == "high" else "↓"}</span>'
        f"{_marks(_stand_in_notes(table, metric), notes)}</th>"
        for metric in table.metrics
    )
    pair = '<th scope="col">paper</th><th scope="col">ours</th>' * len(table.metrics)
    left_out = uneven(table)
    body = "".join(_figures_row(table, row, left_out, notes) for row in table.rows)
    caption = (
        "↑ larger is better, ↓ smaller is better; bold: best of its column. Steps: done here, one "
        "stage + the next. Measured: pictures"
    )
    listed = "".join(
        f'<p class="note"><sup>{number}</sup> {escape(note)}</p>'
        for number, note in enumerate(notes, 1)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {escape(table.number)}">'
        f"<table><caption>{caption}</caption><thead><tr>"
        '<th class="text" rowspan="2" scope="col">Row</th><th rowspan="2" scope="col">Steps</th>'
        f'<th rowspan="2" scope="col">Measured</th>{heads}</tr>'
        f"<tr>{pair}</tr></thead><tbody>{body}</tbody></table></div>{listed}"
    )


def _figures_row(
    table: TableReport, row: RowReport, left_out: Mapping[str, str], notes: list[str]
) -> str:
    quoted = not row.preset
    failure = row.failure and f"not measured: {row.failure}"
    remarks = [text for text in (row.note, failure, QUOTED if quoted else "") if text]
    if not row.ranked and row.paper:
        remarks.append("takes no part in the order")
    if row.name in left_out:
        remarks.append(left_out[row.name])
    badge = ' <span class="badge">quoted only</span>' if quoted else ""
    cells = "".join(_figure_pair(table, metric, row, left_out, notes) for metric in table.metrics)
    kind = ' class="quoted"' if quoted else ""
    head = f'<th scope="row">{escape(row.label)}{badge}{_marks(remarks, notes)}</th>'
    counts = f"<td>{_steps(row)}</td><td>{row.evaluated or NOTHING}</td>"
    return f"<tr{kind}>{head}{counts}{cells}</tr>"


def _steps(row: RowReport) -> str:
    """Steps done, stage by stage, with the plan where it was not kept."""
    if row.training is None:
        return "0" if row.evaluated else NOTHING
    planned = row.training.planned_stages
    return " + ".join(
        f"{done:,}" if done == planned[stage] else f"{done:,} of {planned[stage]:,}"
        for stage, done in row.training.stages.items()
    )


def _figure_pair(
    table: TableReport,
    metric: MetricReport,
    row: RowReport,
    left_out: Mapping[str, str],
    notes: list[str],
) -> str:
    paper, ours = row.paper.get(metric.key), row.ours.get(metric.key)
    choose = max if metric.better == "high" else min
    printed = [other.paper[metric.key] for other in table.rows if metric.key in other.paper]
    compared = [other for other in table.rows if other.name not in left_out]
    measured = [other.ours[metric.key] for other in compared if metric.key in other.ours]
    best_paper = " best" if printed and paper == choose(printed) else ""
    in_order = row in compared and len(measured) > 1
    best_ours = " best" if in_order and ours == choose(measured) else ""
    reason = row.unavailable.get(metric.key, "")
    mark = _marks([reason], notes) if ours is None and reason else ""
    return (
        f'<td class="paper{best_paper}">{_figure(paper, _printed_digits(printed))}</td>'
        f'<td class="ours{best_ours}">{_figure(ours, metric.digits)}{mark}</td>'
    )


def _printed_digits(column: Sequence[float]) -> int:
    """Decimals that the paper prints in a column."""
    return max((len(repr(value).partition(".")[2]) for value in column), default=0)


def _figure(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _stand_in_notes(table: TableReport, metric: MetricReport) -> list[str]:
    replaced = {
        (row.stand_ins[metric.key], row.unavailable.get(metric.key, ""))
        for row in table.rows
        if metric.key in row.stand_ins
    }
    return [
        f"ours is measured with {MEASURES.get(name, name)} in its place"
        f"{reason and f' ({reason})'}: compare the order, not the size"
        for name, reason in sorted(replaced)
    ]


def _marks(remarks: Sequence[str], notes: list[str]) -> str:
    """Footnote signs; a remark made before keeps its number."""
    marks = []
    for remark in remarks:
        if remark not in notes:
            notes.append(remark)
        marks.append(f"<sup>{notes.index(remark) + 1}</sup>")
    return "".join(marks)


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
