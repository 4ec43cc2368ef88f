"""Teach this style: one style at a time, beside all colouring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol.errors import ErrorCode, NuriError

from ..desk import Desk
from ..jobs.layer_job import Outcome
from ..jobs.request import LAYER
from ..notice import Notice
from ..qt import QObject
from ..settings import COLOURING
from .job import STYLE, TeachJob

if TYPE_CHECKING:
    from ..actions import Actions


class Teacher(QObject):
    """``job``: what is being taught now, or None."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(actions)
        self._actions = actions
        self.job: TeachJob | None = None

    def start(self, name: str, document: str) -> None:
        """Teaches a style on the coloured frames of a document, or on the open pages.

        ``document``: its key, "" for none.
        """
        desk = self._actions.desk()
        try:
            if self.job is not None:
                raise NuriError(
                    ErrorCode.busy, "A style is being taught already", "wait for it, or cancel it"
                )
            lessons, pages = self._actions.lessons(document)
        except NuriError as error:
            self._actions.tell(desk, Notice.of(error))
            return
        desk.notice = None
        self.job = job = TeachJob(self._actions.backend, lessons, name, pages=pages, parent=self)
        job.changed.connect(self._actions.changed)
        job.done.connect(lambda outcome: self._finish(desk, job, outcome))
        job.failed.connect(lambda error: self._end(desk, job, Notice.of(error)))
        job.start()
        self._actions.changed.emit()

    def stop(self) -> None:
        """Ends what is under way."""
        if self.job is not None:
            self.job.cancel()

    def _finish(self, desk: Desk, job: TeachJob, outcome: Outcome) -> None:
        self._actions.set_model(COLOURING, f"{LAYER}/{STYLE}{job.name}")
        desk.preview, desk.live = outcome.preview, None
        assert outcome.notice is not None  # the style's figures
        self._end(desk, job, outcome.notice)
        if not self._actions.is_busy:
            self._actions.backend.forget()  # asked anew, it tells of the style, too
            self._actions.connect_backend()

    def _end(self, desk: Desk, job: TeachJob, notice: Notice) -> None:
        self.job = None
        self._actions.tell(desk, notice)
        job.deleteLater()
