"""Does the order of the rows agree? Counted over pairs, as Kendall's rank correlation does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from training.report.content import TableReport


@dataclass(frozen=True)
class Agreement:
    """Pairs of rows of one metric: in the printed order, against it, equal here.

    `same_best` tells whether the printed best row is best here too. Pairs that the paper prints
    as equal are not counted.
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

    @property
    def same_best(self) -> bool:
        """Whether the printed best row is also the best here."""
        return self.best_paper == self.best_ours


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


def verdict(table: TableReport) -> list[Agreement]:
    """One agreement for each metric of a table that was measured here.

    A metric of which some rows carry a stand-in and others do not is not compared.
    """
    found = []
    for metric in table.metrics:
        rows = [row for row in table.rows if row.ranked and metric.key in row.ours]
        if len({row.stand_ins.get(metric.key, "") for row in rows}) > 1:
            continue
        paper = {row.label: row.paper[metric.key] for row in rows if metric.key in row.paper}
        ours = {row.label: row.ours[metric.key] for row in rows}
        result = agreement(paper, ours, metric.better, metric.label)
        if result.pairs:
            found.append(result)
    return found


def overall(table: TableReport) -> str:
    """The verdict on a table in one plain sentence."""
    results = verdict(table)
    pairs = sum(result.pairs for result in results)
    if not pairs:
        return "Too few rows were measured here to compare their order with the paper's."
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
        f"{len(results)} {'metric' if len(results) == 1 else 'metrics'}."
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
