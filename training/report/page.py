"""Writes a report as one self-contained HTML page and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from training.files import write_json, write_text
from training.report.content import Report, RowReport, TableReport, TrainingReport
from training.report.figures import figures_table
from training.report.sections import (
    curves,
    networks_list,
    pictures,
    schedule_table,
    settings_list,
    spreads,
    verdict_box,
)
from training.report.verdict import overall, uneven, verdict

STYLE = Path(__file__).with_name("style.css")


def write_report(report: Report, out: Path) -> Path:
    """Writes `index.html` and `report.json` into `out`; returns the page's path.

    Pictures of the report are files below `out`; the page holds copies of them, so that it can
    be sent as one file. Raises TrainingError where they cannot be written.
    """
    content = asdict(report)
    for table, entry in zip(report.tables, content["tables"], strict=True):
        entry["verdict"] = {
            "sentence": overall(table),
            "left_out": uneven(table),
            "metrics": [{**asdict(result), "pairs": result.pairs} for result in verdict(table)],
        }
    write_json(out / "report.json", content)
    page = out / "index.html"
    write_text(page, document(report.title, body(report, out)))
    return page


def write_index(entries: Sequence[tuple[Report, str]], out: Path) -> Path:
    """A page that leads to several reports. `entries` are reports and their relative addresses."""
    parts = ["<header><h1>Five papers, reproduced</h1></header><main>"]
    for report, address in entries:
        parts.append(f'<h2><a href="{escape(address)}">{escape(report.title)}</a></h2>')
        parts.append(f'<p class="soft">{escape(report.budget)}</p><ul>')
        parts += [
            f"<li>Table {escape(table.number)}, {escape(table.title)}: "
            f"{escape(overall(table))}</li>"
            for table in report.tables
        ]
        parts.append("</ul>")
    page = out / "index.html"
    write_text(page, document("Five papers, reproduced", "".join([*parts, "</main>"])))
    return page


def document(title: str, content: str) -> str:
    """A whole page with its style inside; it loads nothing from anywhere."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n{content}\n</body>\n</html>\n"
    )


def body(report: Report, out: Path) -> str:
    """Everything between the body tags of a paper's page."""
    parts = [
        f"<header><h1>{escape(report.title)}</h1>",
        f'<p class="lead">{escape(report.budget)}</p>',
        f"<p>Data: {escape(report.data)}</p></header><main>",
    ]
    for table in report.tables:
        parts.append(_table(table, out))
    rows = [row for table in report.tables for row in table.rows]
    trainings = unique_trainings(rows)
    if trainings:
        parts.append('<h2 id="training">Training</h2>')
        parts.append(schedule_table(trainings))
        parts.append(networks_list(rows))
        parts.append(curves(trainings))
    parts.append(settings_list(report))
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    parts.append(f'</main><footer><p class="soft">{escape(versions)}</p></footer>')
    return "\n".join(part for part in parts if part)


def unique_trainings(rows: Iterable[RowReport]) -> list[tuple[str, TrainingReport]]:
    """Each training once, with the labels of the rows that share it."""
    labels: dict[str, list[str]] = {}
    trainings: dict[str, TrainingReport] = {}
    for row in rows:
        if row.training is not None:
            trainings[row.training.run] = row.training
            names = labels.setdefault(row.training.run, [])
            if row.label not in names:
                names.append(row.label)
    return [(_joined(labels[run]), training) for run, training in trainings.items()]


def _joined(labels: Sequence[str]) -> str:
    if len(labels) <= 2:
        return " / ".join(labels)
    return f"{labels[0]} and {len(labels) - 1} others"


def _table(table: TableReport, out: Path) -> str:
    number = escape(table.number)
    return "\n".join(
        part
        for part in (
            f'<section><h2 id="table-{number}">Table {number}: {escape(table.title)}</h2>',
            f'<p class="soft">{escape(table.protocol)}</p>' if table.protocol else "",
            verdict_box(table),
            figures_table(table),
            _sentences(table.notes),
            pictures(table, out),
            spreads(table),
            "</section>",
        )
        if part
    )


def _sentences(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
