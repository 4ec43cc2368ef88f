"""Colorize animation: from some coloured key frames to a colour layer for the whole shot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import Frame
from protocol.pixels import Plane

from . import guess, layers, preview
from .colourspace import SRGB8, travel_space
from .daemon import POLL_MS
from .document import find_document, remove_layer, when_idle
from .jobs import ColorizeJob, Outcome, colours_of
from .notice import Kind, Notice
from .rows import Pixels, plane_of
from .samples import is_paper
from .steps import Work
from .timeline import FrameSheet, Timeline, add_frames, is_blank, shown_at

# Three pictures each travel in one message, which may hold 64.
MOST_KEYS = 20
_READ_SHARE, _DAEMON_SHARE = 0.05, 0.9
_PREVIEW_SECONDS = 0.5
# A backend that is lost is started again, but not for the same frame for ever.
_ATTEMPTS = 3
_MOST_TIMES = 6


def colour_layer(document: Any, chosen: str, line: str, own: list[str]) -> Any:
    """The layer with the coloured frames: the chosen one, else the most likely one.

    ``chosen``, ``line``: identities of layers or "". Raises `NuriError`: not_found, bad_input
    (lines and colours are the same layer).
    """
    node = layers.find(document, chosen) if chosen else None
    if node is None:
        node = _animated_colours(document, {line, *own}) or guess.hint_layer(document, line, own)
    if node is None:
        raise NuriError(
            ErrorCode.not_found,
            "There is no layer with coloured frames yet",
            "add a layer, colour one or two of its frames, and choose it under Hints",
        )
    if layers.uid_of(node) == line:
        raise NuriError(
            ErrorCode.bad_input,
            f'The layer "{node.name()}" is chosen for the lines and for the colours',
            "choose two different layers in the Nuri docker",
        )
    return node


def _animated_colours(document: Any, excluded: set[str]) -> Any | None:
    """The topmost layer with key frames of its own that is not taken for anything else."""
    nodes = (node for node, _ in layers.drawable(document) if node.type() == "paintlayer")
    return next((n for n in nodes if n.animated() and layers.uid_of(n) not in excluded), None)


@dataclass
class _Key:
    """A coloured frame. ``colours``: as painted; ``seen``: the same in sRGB."""

    time: int
    colours: Pixels
    seen: Pixels
    line: Pixels


@dataclass
class _Count:
    """What came of the frames. ``failed``: times of frames by why they failed."""

    total: int
    done: int = 0
    failed: dict[str, list[int]] = field(default_factory=dict)
    doubtful: list[int] = field(default_factory=list)
    broken: NuriError | None = None


class AnimationJob(ColorizeJob):
    """Runs one `jobs.Request` whose hints are coloured frames.

    Cancelled or broken off, it still adds the frames that are finished.
    """

    def cancel(self) -> None:
        if self.cancelling:
            return
        if self._job is not None:
            self.cancelling = True
            self._say(self.fraction, "Cancelling")
            self._job.cancel()
        else:
            super().cancel()

    def _work(self) -> Work:
        request = self.request
        yield from when_idle(request.document)
        self._say(0.0, "Connecting to the backend")
        client = yield from self._backend.client()
        document = yield from when_idle(request.document)
        with Timeline(document) as timeline:
            yield 0
            times = self._line_times(timeline)
            self._say(0.0, "Reading the coloured frames")
            keys = yield from self._read_keys(timeline, times)
            with FrameSheet(timeline, times) as sheet:
                self._say(_READ_SHARE, "Preparing the frames")
                yield from sheet.open()
                on_paper = is_paper(keys[0].line)
                count = yield from self._colour(client, timeline, sheet, keys, times)
                for key in keys:
                    yield from sheet.write(key.time, key.colours)
                self._say(_READ_SHARE + _DAEMON_SHARE, "Adding the layer")
                canvas = timeline.canvas
                layer = yield from add_frames(
                    request.document, request.line, sheet, canvas, on_paper
                )
        if request.replace:
            yield from remove_layer(request.document, request.replace)
        notice = _summary(count, len(keys), self.cancelling)
        return Outcome(layer, self.preview, notice=notice)

    def _line_times(self, timeline: Timeline) -> list[int]:
        line = layers.require(timeline.document, self.request.line)
        times = timeline.times(self.request.line)
        if not times:
            raise NuriError(
                ErrorCode.bad_input,
                f'The layer "{line.name()}" has no key frames',
                "choose the animated layer with the lines; Colorize layer is for a single picture",
            )
        return times

    def _read_keys(self, timeline: Timeline, times: list[int]) -> Work:
        """The coloured frames, `_Key` each, by the frames of the lines that they belong to."""
        request = self.request
        node = layers.require(timeline.document, request.hints)
        native = travel_space(timeline.space)
        found: dict[int, _Key] = {}
        # A still picture was painted over the frame that is on the screen.
        for moment in timeline.times(request.hints) or [timeline.now]:
            place = shown_at(times, moment)
            seen = yield from timeline.read(request.hints, moment, SRGB8)
            if place in found or is_blank(seen):
                continue
            line = yield from timeline.read(request.line, place, SRGB8)
            colours = seen
            if not native.is_srgb8:
                colours = yield from timeline.read(request.hints, moment, native)
            found[place] = _Key(place, colours, seen, line)
            if len(found) > MOST_KEYS:
                raise NuriError(
                    ErrorCode.too_large,
                    f'The layer "{node.name()}" has more than {MOST_KEYS} coloured frames',
                    "colour a shorter part of the animation at a time",
                )
        if not found:
            raise NuriError(
                ErrorCode.bad_input,
                f'No frame of the layer "{node.name()}" is coloured',
                "colour one or two frames on it, better the first and the last",
            )
        return [found[place] for place in sorted(found)]

    def _colour(
        self,
        client: Client,
        timeline: Timeline,
        sheet: FrameSheet,
        keys: list[_Key],
        times: list[int],
    ) -> Work:
        """Has all other frames coloured and writes them; returns `_Count`.

        Raises `NuriError` when not a single frame came of it.
        """
        left = [moment for moment in times if moment not in {key.time for key in keys}]
        count = _Count(len(left))
        attempts = 0
        while left and not self.cancelling:
            before = len(left)
            planes, options = _opening(keys, timeline)
            # The newest request takes the place of any other for this document.
            job = client.submit(
                "animation", planes, options, document=self.request.document, frames=len(left)
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
                count.broken = job.error
                break
            client = yield from self._backend.client()
        if self.cancelling and not count.done:
            raise NuriError(ErrorCode.cancelled, "Colouring cancelled; nothing was changed")
        if count.total and not count.done:
            raise count.broken or _no_frame(count)
        return count

    def _exchange(
        self, job: Job, timeline: Timeline, sheet: FrameSheet, left: list[int], count: _Count
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
            self._tell(job, count)
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
        count: _Count,
    ) -> Work:
        error = frame.info.get("error")
        if isinstance(error, dict):
            reason = str(error.get("message", "unknown"))
            count.failed.setdefault(reason, []).append(moment)
            return
        colours = colours_of(frame.planes)
        yield from sheet.write(moment, colours)
        count.done += 1
        if frame.info.get("doubtful"):
            count.doubtful.append(moment)
        now = time.monotonic()
        if now - self._shown > _PREVIEW_SECONDS:
            space = travel_space(timeline.space)
            self.preview = yield from preview.compose(
                timeline, line, colours, space, is_paper(line)
            )
            self._shown = now
            self.changed.emit()

    _shown = 0.0

    def _tell(self, job: Job, count: _Count) -> None:
        if self.cancelling:
            return
        if job.progress is None:
            waits = job.state == "queued"
            self._say(_READ_SHARE, "Waiting for the backend" if waits else "Sending")
            return
        through = count.done + sum(map(len, count.failed.values()))
        stage = f"Frame {min(through + 1, count.total)} of {count.total}"
        if job.progress.seconds_left >= 1:
            stage += f", {round(job.progress.seconds_left)} s left"
        self._say(_READ_SHARE + _DAEMON_SHARE * through / max(1, count.total), stage)


def _opening(keys: list[_Key], timeline: Timeline) -> tuple[list[Plane], dict[str, Any]]:
    """What all frames share."""
    planes: list[Plane] = []
    for number, key in enumerate(keys):
        planes.append(plane_of(f"key{number}", key.seen))
        planes.append(plane_of(f"line{number}", key.line))
        if key.seen is not key.colours:
            planes.append(plane_of(f"exact{number}", key.colours))
    return planes, {"keys": [key.time for key in keys], "outputs": ["flats"]}


def _no_frame(count: _Count) -> NuriError:
    reason = next(iter(count.failed), "The backend gave no frames")
    return NuriError(
        ErrorCode.bad_input, f"No frame could be coloured: {reason}", "look at the line layer"
    )


def _summary(count: _Count, keys: int, cancelled: bool) -> Notice:
    """One line for the artist about what is in the document now."""
    failed = sum(map(len, count.failed.values()))
    message = f"{count.done} frame{'s' if count.done != 1 else ''} coloured from {keys}"
    missing = count.total - count.done - failed
    details = [f"{reason}: frame {_times(times)}" for reason, times in count.failed.items()]
    remedy = ""
    if count.doubtful:
        remedy = f"look at frame {_times(count.doubtful)}: some areas have no good match"
    if failed:
        message += f", {failed} left empty"
        remedy = details[0]
    if cancelled or count.broken:
        message += f"; {missing} are missing"
        remedy = "cancelled; the finished frames are there"
    if count.broken:
        remedy = str(count.broken)
    kind = Kind.error if count.broken else Kind.advice if cancelled or failed else Kind.done
    return Notice(kind, message, remedy, detail="\n".join(details))


def _times(times: list[int]) -> str:
    shown = ", ".join(map(str, times[:_MOST_TIMES]))
    return shown + (" ..." if len(times) > _MOST_TIMES else "")
