"""What to colour, and the task and options of the backend for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError

from ..references import Reference
from ..results import AddedLayer

FLATS, LAYER = "flats", "layer"  # tasks of the backend: regions alone, or with a network
CHOOSERS = ("choosing", "manga")  # need neither hints nor references; the first is proposed
PAINTERS = ("aaldc", "video")  # paint by the colours of references and hints
STYLE = "style/"  # of the ids of styles among those of models


@dataclass(frozen=True)
class Request:
    """What to colour: identities of a document and two of its layers.

    ``earlier``: results for the lines, newest first; those that the new one takes over are removed
    once it is there.
    ``references``: coloured drawings to follow; with them, and with one of the CHOOSERS, ``hints``
    may be "". ``task``: of the backend, FLATS or LAYER; ``fill_unhinted`` is for FLATS, ``soft``
    and ``model`` are for LAYER, where "" lets the backend choose. ``time``: the frame of animated
    layers, None for the one that is shown when they are read.
    """

    document: str
    line: str
    hints: str
    fill_unhinted: bool = False
    earlier: tuple[AddedLayer, ...] = ()
    references: tuple[Reference, ...] = ()
    model: str = ""
    task: str = FLATS
    soft: bool = False
    time: int | None = None

    @property
    def replace(self) -> str:
        """Identity of the result that is removed where the whole canvas is coloured, or ""."""
        return self.earlier[0].layer if self.earlier else ""

    @property
    def needs_srgb(self) -> bool:
        """Whether a network has to understand the colours; hints alone keep those of any space."""
        return bool(self.references) or self.model in (*CHOOSERS, *PAINTERS)


def task_of(request: Request, client: Client) -> tuple[str, dict[str, Any]]:
    """The task of a request and its options; an older backend spreads hints without the matcher.

    Raises `NuriError` unsupported: it does not know references.
    """
    task = request.task
    if task == LAYER and not knows(client, LAYER):
        if request.references:
            raise NuriError(
                ErrorCode.unsupported,
                "This backend cannot colour after references",
                "update the backend to the version of the plugin",
            )
        task = FLATS
    options: dict[str, Any] = {"outputs": ["flats"]}
    if task == LAYER:
        return task, options | {"model": request.model, "soft": request.soft}
    return task, options | {"fill_unhinted": request.fill_unhinted}


def knows(client: Client, task: str) -> bool:
    """Whether the backend may know a task: it is older than the plugin where it does not."""
    welcome = client.welcome
    # The list is empty while the backend does not know it yet.
    return welcome is None or not welcome.tasks or task in welcome.tasks
