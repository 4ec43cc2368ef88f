"""A measured value, or the plain statement that there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricValue:
    """``value`` over ``count`` pictures; None together with the ``reason`` where unavailable."""

    name: str
    value: float | None
    count: int = 0
    reason: str = ""


def unavailable(name: str, reason: str) -> MetricValue:
    """The metric ``name`` could not be measured because of ``reason``."""
    return MetricValue(name, None, 0, reason)
