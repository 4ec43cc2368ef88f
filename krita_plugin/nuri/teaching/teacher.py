"""Teach this style: one style at a time, beside all colouring."""

from __future__ import annotations

from protocol.errors import ErrorCode, NuriError

from ..desk import Desk
from ..desks import Desks
from ..jobs.layer_job import Outcome
from ..jobs.request import LAYER, STYLE
from ..notice import Notice
from ..qt import QObject
from ..settings import COLOURING
from .job import TeachJob


class Teacher(QObject):
    """``job``: what is being taught now, or None."""

    def __init__(self, desks: Desks) -> None:
        super().__init__(desks)
        self._desks = desks
        self.job: TeachJob | None = None

    def start(self, name: str, document: str) -> None:
        """Teaches a style on the coloured frames of a document, or on the open pages.

        ``document``: its key, "" for none.
        """
        desk = self._desks.desk()
        try:
            if self.job is not None:
                raise NuriError(
                    ErrorCode.busy, "A style is being taught already", "wait for it, or cancel it"
                )
            lessons, pages = self._desks.lessons(document)
        except NuriError as error:
            self._desks.tell(desk, Notice.of(error))
            return
        desk.notice = None
        self.job = job = TeachJob(self._desks.backend, lessons, name, pages=pages, parent=self)
        job.changed.connect(self._desks.changed)
        job.done.connect(lambda outcome: self._finish(desk, job, outcome))
        job.failed.connect(lambda error: self._end(desk, job, Notice.of(error)))
        job.start()
        self._desks.changed.emit()

    def stop(self) -> None:
        """Ends what is under way."""
        if self.job is not None:
            self.job.cancel()

    def _finish(self, desk: Desk, job: TeachJob, outcome: Outcome) -> None:
        self._desks.set_model(COLOURING, f"{LAYER}/{STYLE}{job.name}")
        desk.preview, desk.live = outcome.preview, None
        assert outcome.notice is not None  # the style's figures
        self._end(desk, job, outcome.notice)
        if not self._desks.is_busy:
            self._desks.backend.forget()  # asked anew, it tells of the style, too
            self._desks.connect_backend()

    def _end(self, desk: Desk, job: TeachJob, notice: Notice) -> None:
        self.job = None
        self._desks.tell(desk, notice)
        job.deleteLater()
