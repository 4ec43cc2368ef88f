"""What the menu entries and the docker's buttons do."""

from __future__ import annotations

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import hints, layers, pending
from .animation.cuts import SEVERAL_SHOTS
from .animation.doubts import MarkJob
from .animation.job import AnimationJob
from .animation.plan import SELECTED_FRAMES
from .daemon import Backend
from .desk import Desk, summary, waiting
from .desks import Desks
from .document import key_of
from .jobs.colorize import ColorizeJob
from .jobs.kept import AddKeptJob
from .jobs.layer_job import LayerJob, Outcome
from .jobs.pictures import GREY, LINES, Errand, PictureJob, PictureRequest
from .jobs.reference import ReferenceJob
from .jobs.request import Request
from .live import Live
from .notice import Kind, Notice
from .qt import QObject
from .references import Reference
from .results import AddedLayer
from .teaching.teacher import Teacher


class Actions(Desks):
    """One per Krita."""

    def __init__(self, backend: Backend, parent: QObject | None = None) -> None:
        super().__init__(backend, parent)
        self.live = Live(self)
        self.teaching = Teacher(self)

    def colorize_layer(self, model: str = "") -> None:
        """Colours the line layer of the active document on a new layer.

        ``model``: in place of the chosen one.
        """
        try:
            request = self.request(self.active_document(), model)
            kind = ReferenceJob if request.needs_srgb else ColorizeJob
            self._run(self.desk(), kind(self.backend, request, self))
        except NuriError as error:
            self.tell(self.desk(), Notice.of(error))

    def colorize_animation(self) -> None:
        """Colours all frames of the line layer from those that are coloured, on a new layer."""
        desk = self.desk()
        try:
            request = self.animation_request()
            job = AnimationJob(self.backend, request, self)
            job.selected = self.flag(SELECTED_FRAMES)
            job.several_shots = self.flag(SEVERAL_SHOTS)
            self._run(desk, job)
        except NuriError as error:
            self.tell(desk, Notice.of(error))

    def colorize_grey(self) -> None:
        """Colours the active layer, a grey painting, on a new layer above it."""
        self._run_errand(GREY)

    def extract_lines(self) -> None:
        """Draws the lines of the active layer, as ink on a new layer above it."""
        self._run_errand(LINES)

    def mark_doubtful(self) -> None:
        """Marks where the newest animation of the line layer is a guess, on a layer on top."""
        desk = self.desk()
        try:
            document = self.active_document()
            line = layers.uid_of(self.lines(document))
            self._run(desk, MarkJob(self.backend, key_of(document), line, self))
        except NuriError as error:
            self.tell(desk, Notice.of(error))

    def new_hint_layer(self) -> None:
        """Adds a hint layer above the lines of the active document, ready to paint on."""
        desk = self.desk()
        try:
            document = self.active_document()
            line = self.line_layer(document)
            made = layers.uid_of(hints.create(document, line))
        except NuriError as error:
            self.tell(desk, Notice.of(error))
            return
        desk.hints = ""
        found = self.hint_layer(document, line)
        if found is None or layers.uid_of(found) != made:
            desk.hints = made
        self.tell(
            desk,
            Notice(
                Kind.advice,
                "Paint a dot or a stroke of colour into each area",
                "then choose Colorize layer",
            ),
        )

    def cancel(self) -> None:
        """Stops the colouring of the active document, else the teaching of a style."""
        desk = self.desk()
        job = self.job_of(desk)
        if job is not None:
            job.cancel()
        else:
            self.tell(desk, Notice(Kind.advice, "Nothing is being coloured now"))

    def add_reference(self, reference: Reference) -> None:
        """One more coloured drawing for the active document to follow."""
        chosen = self.desk().references
        if reference not in chosen:
            chosen.append(reference)
        self.changed.emit()

    def remove_reference(self, reference: Reference) -> None:
        chosen = self.desk().references
        if reference in chosen:
            chosen.remove(reference)
        self.changed.emit()

    def offer_kept(self) -> None:
        """Tells the artist of colours that were finished but never arrived in this document."""
        document, desk = Krita.instance().activeDocument(), self.desk()
        if document is None or desk.job is not None or desk.notice is not None:
            return
        under_way = {other.job.job_id for other in self._desks.values() if other.job}
        found = pending.waiting_for(document, under_way)
        if found is not None:
            desk.notice = waiting(layers.require(document, found.line).name())

    def add_kept(self) -> None:
        """Adds the colours of `offer_kept`."""
        document, desk = Krita.instance().activeDocument(), self.desk()
        found = pending.waiting_for(document, set()) if document is not None else None
        if found is None:
            self.tell(desk, Notice(Kind.advice, "No colours are waiting for this document"))
            return
        request = Request(key_of(document), found.line, "")
        self._run(desk, AddKeptJob(self.backend, request, found.job, found.space, self))

    def forget_kept(self) -> None:
        """The artist does not want the colours of `offer_kept`."""
        document = Krita.instance().activeDocument()
        found = pending.waiting_for(document, set()) if document is not None else None
        if found is not None:
            pending.forget(found.job)

    def say_no_log(self) -> None:
        self.tell(self.desk(), Notice(Kind.advice, "There is no log yet: no backend has run"))

    def job_of(self, desk: Desk) -> LayerJob | None:
        """What there is to show and to cancel: the job of a document, else the teaching."""
        return desk.job or self.teaching.job

    def _run_errand(self, errand: Errand) -> None:
        desk = self.desk()
        try:
            document = self.active_document()
            node = document.activeNode()
            if node is None or node.type() not in layers.DRAWABLE:
                raise NuriError(
                    ErrorCode.bad_input,
                    "The active layer holds no picture",
                    "choose the layer with the picture in the Layers docker",
                )
            model = self.model(errand.task)
            picture = key_of(document), layers.uid_of(node)
            request = PictureRequest(errand, *picture, model, document.currentTime())
            self._run(desk, PictureJob(self.backend, request, self))
        except NuriError as error:
            self.tell(desk, Notice.of(error))

    def _run(self, desk: Desk, job: LayerJob) -> None:
        if desk.job is not None:
            # The artist asks anew: the newer request takes the place of the running one.
            desk.job.cancel()
        self.live.stop_job()
        desk.job, desk.notice = job, None
        job.changed.connect(self.changed)
        if isinstance(job, ColorizeJob):
            job.submitted.connect(lambda: pending.remember(job.job_id, job.request.line, job.space))
            job.added.connect(lambda layer: self._note_result(job, layer))
        job.done.connect(lambda outcome: self._finish(desk, job, outcome))
        job.failed.connect(lambda error: self._fail(desk, job, error))
        job.start()
        self.changed.emit()

    def _note_result(self, job: ColorizeJob, layer: str) -> None:
        result = AddedLayer(layer, job.request.line, job.is_animation, job.part)
        self.results.add(job.request.document, result)

    def _finish(self, desk: Desk, job: LayerJob, outcome: Outcome) -> None:
        desk.preview, desk.live = outcome.preview, None
        pending.forget(job.job_id)
        self._end(desk, job, outcome.notice or summary(outcome.info))

    def _fail(self, desk: Desk, job: LayerJob, error: NuriError) -> None:
        notice, desk.live_key = Notice.of(error), None
        is_cancelled = error.code is ErrorCode.cancelled
        if not job.kept or (is_cancelled and not isinstance(job, AddKeptJob)):
            pending.forget(job.job_id)
        elif not is_cancelled:
            notice = Notice(
                notice.kind,
                f"{error.info.message}; the colours could not be added",
                "nothing is lost: the backend keeps them for a day, and Nuri offers them again "
                "where their layer is",
                notice.offers,
                detail=f"job {job.job_id}",
            )
        self._end(desk, job, notice)

    def _end(self, desk: Desk, job: LayerJob, notice: Notice) -> None:
        if desk.job is job:
            desk.job = None
            self.tell(desk, notice)
        job.deleteLater()
