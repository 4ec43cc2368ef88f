"""Reports of a reproduction: the paper's figures beside ours, as one page and as JSON."""

from __future__ import annotations

from training.report.content import (
    MetricReport,
    Report,
    RowReport,
    Setting,
    TableReport,
    TrainingReport,
)
from training.report.page import write_index, write_report
from training.report.verdict import Agreement, agreement, verdict

__all__ = [
    "Agreement",
    "MetricReport",
    "Report",
    "RowReport",
    "Setting",
    "TableReport",
    "TrainingReport",
    "agreement",
    "verdict",
    "write_index",
    "write_report",
]
