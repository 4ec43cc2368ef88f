"""What can colour or draw, by name: the one place that knows the ids of models.

A literal table without any import of a model, so that clients list it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Model:
    """``task``: what it serves. ``inputs``: what it needs. ``device``: where it runs."""

    id: str
    task: str
    title: str
    inputs: tuple[str, ...]
    device: str


MODELS = {
    model.id: model
    for model in (
        Model(
            id="flats",
            task="flats",
            title="Exact flat colours from hints, by regions, without a network",
            inputs=("line art", "hints"),
            device="cpu",
        ),
        Model(
            id="xdog",
            task="lines",
            title="Line art of a finished picture, without a network",
            inputs=("picture",),
            device="cpu",
        ),
    )
}


def ids_for(task: str) -> tuple[str, ...]:
    """The ids of what serves a task, the default first."""
    return tuple(model.id for model in MODELS.values() if model.task == task)


def announce() -> list[dict[str, Any]]:
    """The table as plain values, for `Welcome` and for `nuri models --json`."""
    return [
        {
            "id": model.id,
            "task": model.task,
            "title": model.title,
            "inputs": list(model.inputs),
            "device": model.device,
        }
        for model in MODELS.values()
    ]
