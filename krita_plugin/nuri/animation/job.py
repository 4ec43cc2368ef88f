"""Colorize animation: from some coloured key frames to a colour layer for the whole shot."""

from __future__ import annotations

import time
from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import Frame

from .. import made, preview
from ..daemon import POLL_MS
from ..document import FOR_EVER, find_document, remove_layer, when_idle
from ..jobs.colorize import ColorizeJob
from ..jobs.layer_job import Outcome, colours_of
from ..jobs.request import STYLE, Request
from ..pixels.colourspace import SRGB8, travel_space
from ..pixels.rows import Pixels, plane_of
from ..pixels.samples import is_paper
from ..steps import Work
from ..timeline import Timeline
from . import cuts, doubts
from .end import add_result, write_known
from .key_frames import KeyFrame
from .plan import Plan, make_plan, opening
from .report import Count, no_frame, stage, summary
from .sheet import FrameSheet

_READ_SHARE, _DAEMON_SHARE = 0.05, 0.9
_PREVIEW_SECONDS = 0.5
# A backend that is lost is started again, but not for the same frame for ever.
_ATTEMPTS = 3


class AnimationJob(ColorizeJob):
    """Runs one `jobs.Request` whose hints are coloured frames.

    Cancelled or broken off, it still adds the frames that are finished, as soon as the document is
    free. ``selected``: only the frames that are selected in the timeline; ``several_shots``: cut
    where the lines change. Set them before `start`.
    """

    selected = False
    several_shots = False
    is_animation = True
    _is_colouring = False

    def cancel(self) -> None:
        """Stops further frames; too late while the finished ones are being added."""
        if self.cancelling or self._is_adding:
            return
        if not self._is_colouring:
            super().cancel()
            return
        self.cancelling = True
        self._say(self.fraction, "Cancelling")
        if self._job is not None:
            self._job.cancel()

    def _work(self) -> Work:
        request = self.request
        yield from when_idle(request.document)
        self._say(0.0, "Connecting to the backend")
        is_style = request.model.startswith(STYLE)
        client = yield from (self._backend.ask_again() if is_style else self._backend.client())
        manner = manner_of(request, self._backend.models)
        document = yield from when_idle(request.document)
        with Timeline(document, request.time) as timeline:
            yield 0
            past = made.latest(document, request.line)
            shots = yield from self._shots(client, timeline)
            self._say(_READ_SHARE, "Reading the frames")
            plan = yield from make_plan(
                timeline, request.line, request.hints, past, shots, self.selected, manner
            )
            if not plan.left and not plan.is_new:
                raise NuriError(ErrorCode.cancelled, "All frames are up to date; nothing to do")
            with FrameSheet(timeline, request.line, plan.times) as sheet:
                self._say(_READ_SHARE, "Preparing the frames")
                yield from sheet.open()
                self._is_colouring = True
                count = yield from self._colour(timeline, sheet, plan)
                self._is_adding = True
                self._say(_READ_SHARE + _DAEMON_SHARE, "Adding the layer")
                yield from write_known(sheet, plan, count)
                on_paper = is_paper(plan.keys[0].line)
                result = yield from add_result(
                    request, sheet, plan, count, on_paper, self._note_added
                )
        stays = past.layer if plan.is_unread or plan.astray else ""
        if request.replace not in ("", stays):
            yield from remove_layer(request.document, request.replace, FOR_EVER)
        notice = summary(count, plan, result, self.cancelling)
        return Outcome(result.layer, self.preview, notice=notice)

    def _shots(self, client: Client, timeline: Timeline) -> Work:
        """The times of each shot: all in one, unless the artist has it cut."""
        times = timeline.times(self.request.line)
        if not self.several_shots or len(times) < 2:
            return [times]
        cuts.check_known(client)

        def say(part: float) -> None:
            self._say(_READ_SHARE * part, "Looking for cuts")

        planes, counts = yield from cuts.strips(timeline, self.request.line, times, say)
        self._job = client.submit(
            cuts.TASK, planes, {"frames": counts}, document=self.request.document, keep=False
        )
        result = yield from self._answer(self._job, (_READ_SHARE, 0.0))
        self._job = None
        return cuts.cut(times, result.info["cuts"])

    def _colour(self, timeline: Timeline, sheet: FrameSheet, plan: Plan) -> Work:
        """Has the frames that are left coloured and writes them, shot by shot; returns `Count`.

        Raises `NuriError` when not a single frame came of it and the artist has made no news.
        """
        count = Count(len(plan.left), {key.time for key in plan.keys})
        shots = plan.by_shot()
        count.ahead = sum(len(left) for _, left in shots)
        for keys, left in shots:
            count.ahead -= len(left)
            try:
                yield from self._colour_shot(timeline, sheet, keys, left, count)
            except NuriError as error:
                count.broken = error
            finally:
                self._job = None
            if self.cancelling or count.broken:
                break
        if self.cancelling and not count.done:
            raise NuriError(ErrorCode.cancelled, "Colouring cancelled; nothing was changed")
        has_news = plan.past.layer and plan.is_new
        if count.total and not count.done and not has_news:
            raise count.broken or no_frame(count)
        return count

    def _colour_shot(
        self,
        timeline: Timeline,
        sheet: FrameSheet,
        keys: list[KeyFrame],
        left: list[int],
        count: Count,
    ) -> Work:
        """The frames ``left`` of one shot. Raises `NuriError`: why there are no more of them."""
        attempts = 0
        while left and (client := (yield from self._connected())) is not None:
            before = len(left)
            planes, options = opening(keys, self.request.model, self.request.soft)
            count.asked = options["keys"]
            # The newest request takes the place of any other for this document. Its frames come
            # here at once; nobody would fetch them later.
            job = client.submit(
                "animation",
                planes,
                options,
                document=self.request.document,
                frames=len(left),
                keep=False,
            )
            self._job = job
            del planes
            yield from self._exchange(job, timeline, sheet, left, count)
            self._job = None
            if job.error is None or self.cancelling:
                break
            attempts = 1 if len(left) < before else attempts + 1
            lost = job.error.code in (ErrorCode.unreachable, ErrorCode.shutting_down)
            if not lost or attempts == _ATTEMPTS:
                raise job.error

    def _connected(self) -> Work:
        """`Backend.client`; returns None as soon as the job is cancelled."""
        connecting = self._backend.client()
        try:
            while not self.cancelling:
                yield next(connecting)
        except StopIteration as end:
            return end.value
        finally:
            connecting.close()
        return None

    def _exchange(
        self, job: Job, timeline: Timeline, sheet: FrameSheet, left: list[int], count: Count
    ) -> Work:
        """One stream: sends frames while there is room; what comes is written, and off ``left``."""
        moments = tuple(left)
        lines: dict[int, Pixels] = {}
        sent = 0
        while True:
            self._backend.poll()
            ended = job.is_finished
            for frame in job.take_frames():
                line = lines.pop(frame.index)
                yield from self._take(frame, moments[frame.index], line, timeline, sheet, count)
                left.remove(moments[frame.index])
            if ended:
                return
            if find_document(self.request.document) is None:
                job.cancel()
                raise NuriError(ErrorCode.not_found, "The document has been closed")
            self._tell(job, count, len(moments))
            if sent < len(moments) and job.input_credit > 0 and not self.cancelling:
                line = yield from timeline.read(self.request.line, moments[sent], SRGB8)
                if not job.is_finished:
                    lines[sent] = line
                    facts = {"time": moments[sent]}
                    job.send_frame(sent, [plane_of("line", line)], 0, facts)
                    sent += 1
                continue
            yield POLL_MS

    def _take(
        self,
        frame: Frame,
        moment: int,
        line: Pixels,
        timeline: Timeline,
        sheet: FrameSheet,
        count: Count,
    ) -> Work:
        is_key = moment in count.keys
        if is_key and not frame.planes:
            return  # it has all its colours already
        error = frame.info.get("error")
        if isinstance(error, dict):
            reason = str(error.get("message", "unknown"))
            count.failed.setdefault(reason, []).append(moment)
            return
        colours = colours_of(frame.planes)
        yield from sheet.write(moment, colours)
        (count.filled if is_key else count.done).append(moment)
        for flaw in frame.info.get("flaws", ()):
            count.flaws.setdefault(flaw["message"], set()).add(count.asked[flaw["key"]])
        if areas := frame.info.get("doubtful"):
            count.doubts[moment] = len(areas)
            count.masks[moment] = doubts.pack(colours_of(frame.planes, "confidence"))
        now = time.monotonic()
        if now - self._shown > _PREVIEW_SECONDS:
            space = travel_space(timeline.space)
            self.preview = yield from preview.compose(
                timeline, line, colours, space, is_paper(line)
            )
            self._shown = now
            self.changed.emit()

    _shown = 0.0

    def _tell(self, job: Job, count: Count, frames: int) -> None:
        """``frames``: of the job."""
        if self.cancelling:
            return
        if job.progress is None:
            waits = job.state == "queued"
            self._say(_READ_SHARE, "Waiting for the backend" if waits else "Sending")
            return
        share = count.through / max(1, count.total)
        self._say(_READ_SHARE + _DAEMON_SHARE * share, stage(count, job.progress, frames))


def manner_of(request: Request, models: list[dict[str, Any]]) -> str:
    """What decides the colours of a frame beside its lines and key frames, "" for the usual.

    ``models``: of `Backend`; a style that was taught again has another revision there.
    """
    told = (str(model.get("revision", "")) for model in models if model.get("id") == request.model)
    return request.model + "".join(f" {one}" for one in told if one) + " soft" * request.soft
