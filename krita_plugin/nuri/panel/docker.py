"""The Nuri docker: puts the widgets together and shows the state of `Actions`."""

from __future__ import annotations

from typing import Any, ClassVar

from krita import DockWidget, Krita

from .. import layers
from ..actions import Actions
from ..animation import doubts
from ..animation.cuts import SEVERAL_SHOTS
from ..animation.plan import SELECTED_FRAMES
from ..daemon import State
from ..jobs.request import CHOOSERS
from ..notice import Notice, Offer
from ..qt import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    Qt,
    QTimer,
    QToolButton,
    QVBoxLayout,
    QWidget,
    sip,
)
from .backend_row import BackendRow
from .doubts_list import DoubtsList
from .install_dialog import InstallDialog, open_log
from .layer_choice import LayerChoice
from .live_row import LiveRow
from .model_button import ModelButton
from .notice_box import NoticeBox
from .preview_label import PreviewLabel
from .references_row import ReferencesRow
from .run_row import RunRow

_REFRESH_MS = 50
_MINIMUM_HEIGHT = 180
_FLAGS = (
    (
        "fill_unhinted",
        "Fill areas without a hint",
        "Areas without a hint take the colour of their neighbours; otherwise a network finds one",
    ),
    (
        "soft",
        "Soft shading",
        "The shading of references and of coloured frames comes along; otherwise colours are flat",
    ),
    (
        "replace_previous",
        "Replace my previous colours",
        "Removes the last colours of these lines once the new ones are there (a second undo step)",
    ),
    (
        SELECTED_FRAMES,
        "Selected frames only",
        "For animations: the frames not selected in the timeline stay as they were, or empty",
    ),
    (
        SEVERAL_SHOTS,
        "Several shots",
        "For animations: cut it where the lines change; coloured frames serve their own shot",
    ),
)


class NuriDocker(DockWidget):
    """One per window. Krita makes it, so that it finds its `Actions` on the class."""

    commands: ClassVar[Actions]  # "actions" is a method of every QWidget
    _open: ClassVar[list[NuriDocker]] = []

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Nuri")
        self._build()
        # Krita calls canvasChanged several times for one new view; one refresh is enough.
        self._refresh_timer = QTimer(self)
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.setInterval(_REFRESH_MS)
        self._refresh_timer.timeout.connect(self.refresh)
        self.commands.changed.connect(self._show_state)
        self.commands.noticed.connect(self._show_news)
        NuriDocker._open.append(self)
        self._refresh_timer.start()

    @classmethod
    def open_dockers(cls) -> list[NuriDocker]:
        """The dockers of all windows that are still open."""
        cls._open = [docker for docker in cls._open if not sip.isdeleted(docker)]
        return list(cls._open)

    def canvasChanged(self, canvas: Any) -> None:  # noqa: N802 - Krita's name
        self._refresh_timer.start()

    def enterEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        # Krita has no signal for changed layers; who comes to the docker finds it up to date.
        super().enterEvent(event)
        self._refresh_timer.start()

    def showEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self.commands.live.wake()
        self._refresh_timer.start()

    def refresh(self) -> None:
        """Reads the layers of the active document and the state of the backend anew."""
        if not self.isVisible():
            return
        self.commands.backend.look()
        self.commands.offer_kept()
        document = Krita.instance().activeDocument()
        desk = self.commands.desk()
        nodes = layers.drawable(document) if document is not None else []
        line = self.commands.line_layer(document) if document is not None else None
        hint = self.commands.hint_layer(document, line) if document is not None else None
        self._lines.show_layers(nodes, desk.line, line)
        self._hints.show_layers(nodes, desk.hints, hint)
        is_animated = line is not None and layers.is_animated(line)
        self._run.animation_button.setVisible(is_animated)
        listed = doubts.listed(document, layers.uid_of(line)) if is_animated else []
        self._doubts.show_doubts(listed)
        for box in self._shot_boxes:
            box.setVisible(is_animated)
        for widget in (self._lines, self._hints, self._new_hints):
            widget.setEnabled(document is not None)
        self._show_state()

    def _show_state(self) -> None:
        """Shows what changes while a job runs; cheap."""
        if sip.isdeleted(self):
            return
        desk = self.commands.desk()
        self._backend.show_state(self.commands.backend)
        job = self.commands.job_of(desk)
        self._run.show_job(job, Krita.instance().activeDocument() is not None)
        self._references.show_references(desk.references)
        self._models.show_choice()
        self._notice.show_notice(desk.notice)
        news = desk.job.preview if desk.job is not None else None
        self._live.show_state(self.commands.live, desk.live_note)
        live = desk.live if self.commands.live.is_on else None
        self._preview.show_image(news or live or desk.preview)

    def _show_news(self, _: Notice) -> None:
        """A new notice: shown in full even in a low docker; what led to it may have new layers."""
        if sip.isdeleted(self):
            return
        self._refresh_timer.start()
        QTimer.singleShot(2 * _REFRESH_MS, self._scroll_to_notice)

    def _scroll_to_notice(self) -> None:
        if sip.isdeleted(self):
            return
        for widget in (self._doubts, self._notice):  # the last is the one that matters more
            if widget.isVisible():
                self._scroll.ensureWidgetVisible(widget, 0, 0)

    def _build(self) -> None:
        body = QWidget(self)
        body.setObjectName("nuri_body")
        self._backend = BackendRow(body)
        for offer in (Offer.open_log, Offer.install):
            entry = self._backend.menu.addAction(offer.value)
            entry.triggered.connect(lambda checked=False, offer=offer: self._serve(offer))
        self._lines = LayerChoice("nuri_lines", self.refresh, body)
        self._lines.setToolTip("The layer with the lines: a layer, a group or a vector layer")
        self._lines.chosen.connect(lambda uid: self._choose("line", uid))
        self._hints = LayerChoice("nuri_hints", self.refresh, body)
        self._hints.setToolTip("The layer with your colours: dots, strokes or blobs")
        self._hints.chosen.connect(lambda uid: self._choose("hints", uid))
        self._new_hints = QToolButton(body)
        self._new_hints.setObjectName("nuri_new_hints_button")
        self._new_hints.setIcon(Krita.instance().icon("addlayer"))
        self._new_hints.setAutoRaise(True)
        self._new_hints.setToolTip("New hint layer")
        self._new_hints.clicked.connect(lambda: self.commands.new_hint_layer())
        self._references = ReferencesRow(self.commands, body)
        self._models = ModelButton(self.commands, body)
        self._run = RunRow(body)
        self._run.button.clicked.connect(lambda: self.commands.colorize_layer())
        self._run.animation_button.clicked.connect(lambda: self.commands.colorize_animation())
        self._run.cancel_button.clicked.connect(lambda: self.commands.cancel())
        self._notice = NoticeBox(body)
        self._notice.offered.connect(self._serve)
        self._notice.dismissed.connect(self._dismiss)
        self._doubts = DoubtsList(body)
        self._doubts.marks_wanted.connect(lambda: self.commands.mark_doubtful())
        self._preview = PreviewLabel(body)
        choices = QGridLayout()
        choices.addWidget(QLabel("Lines", body), 0, 0)
        choices.addWidget(self._lines, 0, 1, 1, 2)
        choices.addWidget(QLabel("Hints", body), 1, 0)
        choices.addWidget(self._hints, 1, 1)
        choices.addWidget(self._new_hints, 1, 2)
        follows = QLabel("References", body)
        follows.setContentsMargins(0, 4, 0, 0)  # level with the first of several
        choices.addWidget(follows, 2, 0, Qt.AlignmentFlag.AlignTop)
        choices.addWidget(self._references, 2, 1, 1, 2)
        choices.addWidget(QLabel("Model", body), 3, 0)
        choices.addWidget(self._models, 3, 1, 1, 2)
        choices.setColumnStretch(1, 1)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._backend)
        layout.addLayout(choices)
        layout.addWidget(self._run)
        layout.addWidget(self._notice)
        layout.addWidget(self._doubts)
        boxes = {name: self._flag_box(name, text, tip, body) for name, text, tip in _FLAGS}
        for box in boxes.values():
            layout.addWidget(box)
        self._shot_boxes = [boxes[SELECTED_FRAMES], boxes[SEVERAL_SHOTS]]
        self._live = LiveRow(self.commands.live, body)
        self.commands.live.add_viewer(self._live)
        layout.addWidget(self._live)
        layout.addWidget(self._preview, 1)
        layout.addStretch(0)
        self._scroll = scroll = QScrollArea(self)
        scroll.setObjectName("nuri_scroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidgetResizable(True)
        scroll.setMinimumHeight(_MINIMUM_HEIGHT)
        scroll.setWidget(body)
        self.setWidget(scroll)

    def _flag_box(self, name: str, text: str, tip: str, parent: QWidget) -> QCheckBox:
        box = QCheckBox(text, parent)
        box.setObjectName(f"nuri_{name}")
        box.setToolTip(tip)
        box.setChecked(self.commands.flag(name))
        box.toggled.connect(lambda value: self.commands.set_flag(name, value))
        return box

    def _choose(self, what: str, uid: str) -> None:
        setattr(self.commands.desk(), what, uid)
        self._refresh_timer.start()

    def _dismiss(self) -> None:
        desk = self.commands.desk()
        if desk.notice is not None and Offer.add_kept in desk.notice.offers:
            self.commands.forget_kept()
        desk.notice = None
        self._show_state()

    def _serve(self, offer: Offer) -> None:
        if offer is Offer.new_hint_layer:
            self.commands.new_hint_layer()
        elif offer is Offer.add_kept:
            self.commands.add_kept()
        elif offer is Offer.let_nuri_choose:
            self.commands.colorize_layer(CHOOSERS[0])
        elif offer is Offer.install:
            InstallDialog(self.commands.backend, self).show()
        elif offer is Offer.open_log and not open_log(self.commands.backend):
            self.commands.say_no_log()
        if self.commands.backend.state is State.missing:
            self._refresh_timer.start()
