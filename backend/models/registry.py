"""What can colour or draw, by name: the one place that knows the ids of models.

A literal table without any import of a model, so that clients list it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

MATCHER = "matching"  # decides by references and hints
PAGES = ("manga",)  # paint a drawing by its hints or without any
CHOOSERS = ("choosing", *PAGES)  # find colours where nothing decides; the first is proposed
PAINTERS = ("aaldc", "video")  # paint after references; regions make their colours exact
TEMPORAL = {"video": "video_refinement"}  # weights that make what these paint agree in time
FOR_SHOTS = (MATCHER, *PAINTERS)  # what colours the frames of a shot, besides styles
BORDERS = "borders"  # weights alone: tells both where regions meet


@dataclass(frozen=True)
class Model:
    """``task``: what it serves. ``inputs``: what it needs. ``device``: where it runs.

    ``weights``: the trained network that it needs, an id of `backend.weights.store`; "" for none.
    """

    id: str
    task: str
    title: str
    inputs: tuple[str, ...]
    device: str
    weights: str = ""


MODELS = {
    model.id: model
    for model in (
        Model(
            id=MATCHER,
            task="layer",
            title="Exact colours from references and hints; a network decides what has no hint",
            inputs=("line art", "references or hints"),
            device="cpu",
            weights=MATCHER,
        ),
        Model(
            id="choosing",
            task="layer",
            title="The same, and colours of its own choice where neither names one",
            inputs=("line art",),
            device="cpu",
            weights="choosing",
        ),
        Model(
            id="manga",
            task="layer",
            title="The same, and where neither names one as a network paints pages, for comparison",
            inputs=("line art",),
            device="cpu",
            weights="manga",
        ),
        Model(
            id="aaldc",
            task="layer",
            title="After references as a network paints them at a glance, for comparison",
            inputs=("line art", "references"),
            device="cpu",
            weights="aaldc",
        ),
        Model(
            id="video",
            task="layer",
            title="After key frames as a network of films paints them, for comparison",
            inputs=("line art", "references"),
            device="cpu",
            weights="video",
        ),
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
        Model(
            id="learned",
            task="lines",
            title="Line art of a finished picture, as artists draw it",
            inputs=("picture",),
            device="cpu",
            weights="line_extractor",
        ),
        Model(
            id="smsanet",
            task="greyscale",
            title="Colour for a grey painting, warm and even",
            inputs=("picture",),
            device="cpu",
            weights="smsanet",
        ),
        Model(
            id="ibn_gan",
            task="greyscale",
            title="Colour for a grey painting, vivid, in blots that often miss",
            inputs=("picture",),
            device="cpu",
            weights="ibn_gan",
        ),
    )
}


def ids_for(task: str) -> tuple[str, ...]:
    """The ids of what serves a task, the default first."""
    return tuple(model.id for model in MODELS.values() if model.task == task)


def announce(installed: Collection[str]) -> list[dict[str, Any]]:
    """The table as plain values, for `Welcome` and for `nuri models --json`.

    installed: the ids of weights that are there; a model without its weights says so.
    """
    return [
        _row(model, not model.weights or model.weights in installed) for model in MODELS.values()
    ]


def announce_styles(styles: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """More rows of the table: the region matchers that someone has taught, by id with their title
    and revision."""
    matcher = MODELS[MATCHER]
    return [{**_row(replace(matcher, id=one), True), **told} for one, told in styles.items()]


def _row(model: Model, is_installed: bool) -> dict[str, Any]:
    return {
        "id": model.id,
        "task": model.task,
        "title": model.title,
        "inputs": list(model.inputs),
        "device": model.device,
        "installed": is_installed,
    }
