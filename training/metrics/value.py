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

    @property
    def available(self) -> bool:
        return self.value is not None


def unavailable(name: str, reason: str) -> MetricValue:
    """The metric ``name`` could not be measured because of ``reason``."""
    return MetricValue(name, None, 0, reason)
