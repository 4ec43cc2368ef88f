"""Does the order of the rows agree? Counted over pairs, as Kendall's rank correlation does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from training.report.content import TableReport

EARLY = 0.05  # shares of the paper's schedule below it are called early
SAME_LENGTH = 0.05  # shares of the schedule that differ by no more count as the same


@dataclass(frozen=True)
class Agreement:
    """Pairs of rows of one metric: in the printed order, against it, equal here.

    Pairs that the paper prints as equal are not counted.
    """

    label: str
    agreeing: int
    disagreeing: int
    equal: int
    best_paper: str
    best_ours: str
    sentence: str

    @property
    def pairs(self) -> int:
        """All pairs counted."""
        return self.agreeing + self.disagreeing + self.equal


def agreement(
    paper: Mapping[str, float], ours: Mapping[str, float], better: str, label: str = ""
) -> Agreement:
    """Compares the order of the rows that both have. Keys are rows, `better` "high" or "low".

    >>> agreement({"a": 1, "b": 2, "c": 3}, {"a": 5, "b": 7, "c": 6}, "high").agreeing
    2
    """
    common = [row for row in paper if row in ours]
    agreeing = disagreeing = equal = 0
    for first, second in combinations(common, 2):
        printed, measured = paper[first] - paper[second], ours[first] - ours[second]
        if printed == 0:
            continue
        if measured == 0:
            equal += 1
        elif (printed > 0) == (measured > 0):
            agreeing += 1
        else:
            disagreeing += 1
    if not agreeing + disagreeing + equal:
        return Agreement(label, 0, 0, 0, "", "", f"{label}: no two rows to compare.")
    choose = max if better == "high" else min
    best_paper = choose(common, key=lambda row: paper[row])
    best_ours = choose(common, key=lambda row: ours[row])
    sentence = _sentence(label, agreeing, disagreeing, equal, best_paper, best_ours)
    return Agreement(label, agreeing, disagreeing, equal, best_paper, best_ours, sentence)


def uneven(table: TableReport) -> dict[str, str]:
    """Rows that had another share of their planned steps than others, with what to say of them.

    They were stopped early, or the others were; their figures tell more of that than of the
    method. The largest group of rows with equal shares stays, of equal groups the longest trained.
    """
    trainings = {row.name: row.training for row in table.rows if row.ranked and row.training}
    found = {}
    for stage in dict.fromkeys(stage for one in trainings.values() for stage in one.stages):
        shares = {
            name: one.stages[stage] / max(one.planned_stages[stage], 1)
            for name, one in trainings.items()
            if stage in one.stages
        }
        usual = _usual(list(shares.values()))
        for name, share in shares.items():
            if not _alike(share, usual):
                found[name] = (
                    f"had {share:.0%} of its planned steps, where others had {usual:.0%}: "
                    "takes no part in the order"
                )
    return found


def _usual(shares: Sequence[float]) -> float:
    return max(shares, key=lambda share: (sum(_alike(share, other) for other in shares), share))


def _alike(share: float, other: float) -> bool:
    return abs(share - other) <= SAME_LENGTH * max(share, other)


def verdict(table: TableReport) -> list[Agreement]:
    """One agreement for each metric of a table that was measured here.

    A metric of which some rows carry a stand-in and others do not is not compared, nor are rows
    that are `uneven`.
    """
    found = []
    left_out = uneven(table)
    compared = [row for row in table.rows if row.ranked and row.name not in left_out]
    for metric in table.metrics:
        rows = [row for row in compared if metric.key in row.ours]
        if len({row.stand_ins.get(metric.key, "") for row in rows}) > 1:
            continue
        paper = {row.label: row.paper[metric.key] for row in rows if metric.key in row.paper}
        ours = {row.label: row.ours[metric.key] for row in rows}
        result = agreement(paper, ours, metric.better, metric.label)
        if result.pairs:
            found.append(result)
    return found


def caveat(table: TableReport) -> str:
    """How far differences between the rows may be trusted, "" where none was trained."""
    trainings = [row.training for row in table.rows if row.training]
    if not trainings:
        return ""
    shares = [sum(one.stages.values()) / max(sum(one.full_stages.values()), 1) for one in trainings]
    part = "" if max(shares) >= 1 else f", for at most {_percent(max(shares))} of the paper's steps"
    early = " So early the order says little of the methods." if max(shares) < EARLY else ""
    return (
        f"Each row was trained once{part}: small differences between rows may be chance, by which "
        f"half of the pairs would agree.{early}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.1 else f"{share:.0%}"


def overall(table: TableReport) -> str:
    """The verdict on a table in one plain sentence."""
    results = verdict(table)
    pairs = sum(result.pairs for result in results)
    labels = [f"“{row.label}”" for row in table.rows if row.name in uneven(table)]
    left_out = f" Left out, for its length: {labels[0]}." if len(labels) == 1 else ""
    if len(labels) > 1:
        left_out = f" Left out, for their lengths: {', '.join(labels)}."
    if not pairs:
        few = "Too few rows were measured here"
        few += " for the same share of their schedules" if labels else ""
        return f"{few} to compare their order with the paper's.{left_out}"
    agreeing = sum(result.agreeing for result in results)
    share = agreeing / pairs
    if agreeing == pairs:
        judgement = "The rows come in the paper's order"
    elif share >= 0.75:
        judgement = "The order of the rows mostly agrees with the paper"
    elif share > 0.5:
        judgement = "The order of the rows agrees with the paper only in part"
    else:
        judgement = "The order of the rows does not agree with the paper"
    return (
        f"{judgement}: {agreeing} of {pairs} pairs of rows, over "
        f"{len(results)} {'metric' if len(results) == 1 else 'metrics'}.{left_out}"
    )


def _sentence(
    label: str, agreeing: int, disagreeing: int, equal: int, best_paper: str, best_ours: str
) -> str:
    pairs = agreeing + disagreeing + equal
    counted = (
        f"{label}: {agreeing} of {pairs} {'pair' if pairs == 1 else 'pairs'} in the paper's order"
    )
    ties = f", {equal} equal here" if equal else ""
    if best_paper == best_ours:
        best = f"“{best_ours}” is best in both"
    else:
        best = f"best here is “{best_ours}”, in the paper “{best_paper}”"
    return f"{counted}{ties}; {best}."
