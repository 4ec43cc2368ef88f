"""The job of Add them now: colours of an earlier colouring that never arrived."""

from __future__ import annotations

from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError

from ..daemon import Backend
from ..document import when_idle
from ..notice import OfferError
from ..pixels.colourspace import SRGB8, ColourSpace
from ..pixels.rows import Pixels
from ..pixels.snapshot import Snapshot
from ..qt import QObject
from ..steps import Work
from .colorize import ColorizeJob
from .request import Request


class AddKeptJob(ColorizeJob):
    """Adds a result that the daemon has kept since an earlier colouring of the same layer.

    ``space``: of that colouring. The result is ``kept`` until the daemon says that it has it not.
    """

    def __init__(
        self,
        backend: Backend,
        request: Request,
        job_id: str,
        space: ColourSpace,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(backend, request, parent)
        self.job_id, self.space, self.kept = job_id, space, True

    def _result(self, client: Client) -> Work:
        self._say(0.0, "Fetching the colours")
        try:
            result = yield from self._backend.fetch(self.job_id)
        except NuriError as error:
            # without an offer it is the daemon's own word
            self.kept = error.code is not ErrorCode.not_found or isinstance(error, OfferError)
            raise
        document = yield from when_idle(self.request.document)
        with Snapshot(document, self.request.line, progress=self._say_reading) as snapshot:
            yield 0
            line = yield from snapshot.read_line(self.request.line)
        return result, line

    def _space_of(self, colours: Pixels, document: Any) -> ColourSpace:
        """Colours of another space are converted: the document may have been, too."""
        return SRGB8 if colours.format == "rgba8" else self.space
