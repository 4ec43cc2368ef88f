"""The table of a report: the paper's figures beside ours, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from training.report.content import MetricReport, RowReport, TableReport
from training.report.verdict import uneven

NOTHING = "&ndash;"
MEASURES = {
    "fid_squeeze": "the Fréchet distance of SqueezeNet's features",
    "lpips_squeeze": "LPIPS with SqueezeNet",
    "perceptual_torchvision": "the distance of the features of torchvision's VGG-19",
    "perceptual_squeeze": "the distance of SqueezeNet's features",
    "perceptual_random": "the distance of the features of a VGG-19 with random weights",
    "ssim": "SSIM at one scale",
}
QUOTED = (
    "the paper's figures of other authors' systems, which the specification does not describe: "
    "there is nothing here to train"
)


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
