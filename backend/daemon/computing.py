"""One job in the worker: runs its task and says how it went, whatever happens in there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from backend.imaging.refusal import is_no_memory, mistake, no_memory_for_job
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.messages import Cancelled, Failed, Frame, Message, Progress, Result, Submit
from protocol.pixels import Plane

from .worker_link import Commands, Link

_PROGRESS_SECONDS = 0.05
_logger = logging.getLogger("nuri.worker")


class Computation:
    """A job under way: `whole` for a single picture, `frame` for each frame of a stream.

    ``run`` is backend.tasks.job.run.
    """

    def __init__(
        self,
        submit: Submit,
        session: str,
        link: Link,
        commands: Commands,
        run: Callable[..., Any],
    ) -> None:
        self._submit = submit
        self._session = session
        self._link = link
        self._commands = commands
        self._run = run
        self._seconds = 0.0
        self._reported = 0.0
        self._stage = ""
        self._frame = -1
        self._warnings: list[str] = []
        self._memory: dict[str, Any] = {}
        self._done = 0

    def whole(self) -> None:
        """Computes a job that is no stream."""
        outcome = self._try(self._submit.inputs)
        if outcome is not None:
            self._finish(outcome.outputs, outcome.info)

    def frame(self, frame: Frame) -> bool:
        """Computes one frame; True when it ended the job. Its pictures go before those of the job
        of the same name, so that what stays the same has to be sent only once; what the task keeps
        in its memory stays for the next frame."""
        self._frame = frame.index
        inputs = {plane.name: plane for plane in (*self._submit.inputs, *frame.planes)}
        outcome = self._try(inputs.values(), frame)
        if outcome is None:
            return True
        self._done += 1
        warnings = outcome.info.get("warnings", ())
        self._warnings += [f"frame {frame.index}: {warning}" for warning in warnings]
        planes = tuple(outcome.outputs)
        try:
            answer = Frame(
                job=self._submit.job, index=frame.index, planes=planes, info=outcome.facts
            )
            self._say("frame", answer)
        except NuriError as error:
            self._fail(error.info)
            return True
        is_last = frame.index == self._submit.frames - 1
        if is_last:
            self._finish((), {"warnings": self._warnings})
        return is_last

    def _try(self, inputs: Iterable[Plane], frame: Frame | None = None) -> Any:
        """The outcome of the task, or None when it was cancelled or failed, and that was said."""
        job = self._submit.job
        of_stream: dict[str, Any] = {}
        if frame is not None:
            of_stream = {"frame": frame.index, "facts": frame.info, "memory": self._memory}
        started = time.monotonic()
        try:
            return self._run(
                self._submit.task,
                inputs,
                self._submit.options,
                progress=self._progress,
                cancelled=lambda: self._commands.is_cancelled(job),
                **of_stream,
            )
        except NuriError as error:
            is_told = error.code is ErrorCode.no_memory or not is_no_memory(error)
            info = error.info if is_told else no_memory_for_job().info
        except Exception as error:
            _logger.exception("[%s] the task %s made a mistake", job, self._submit.task)
            info = self._explain(error)
        finally:
            self._seconds += time.monotonic() - started
        if info.code is ErrorCode.cancelled:
            self._end("cancelled", Cancelled(job=job))
        else:
            self._fail(info)
        return None

    def _explain(self, error: Exception) -> ErrorInfo:
        """What the client is told of a mistake of the task."""
        if is_no_memory(error):
            return no_memory_for_job().info
        return mistake(f"The task {self._submit.task} failed", error).info

    def _progress(self, fraction: float, stage: str) -> None:
        """Passes on what a task reports, at most some times a second."""
        now = time.monotonic()
        if stage == self._stage and now - self._reported < _PROGRESS_SECONDS:
            return
        self._reported, self._stage = now, stage
        fraction = min(max(float(fraction), 0.0), 1.0)
        left = -1.0
        if self._frame >= 0:
            done = self._frame + fraction
            if self._done:
                left = self._seconds / self._done * (self._submit.frames - done)
            fraction = done / self._submit.frames
        message = Progress(
            job=self._submit.job,
            fraction=fraction,
            stage=stage[:200],
            frame=self._frame,
            seconds_left=left,
        )
        self._say("progress", message)

    def _finish(self, outputs: tuple[Plane, ...], info: dict[str, Any]) -> None:
        job = self._submit.job
        try:
            result = Result(job=job, outputs=outputs, info=info, seconds=self._seconds)
            self._end("result", result)
        except NuriError as error:
            # What a task returns may itself go over a limit of the protocol.
            self._fail(error.info)

    def _fail(self, info: ErrorInfo) -> None:
        if self._frame >= 0:
            message = f"Frame {self._frame}: {info.message}"
            info = ErrorInfo(info.code, message, info.action, info.detail)
        self._end("failed", Failed(job=self._submit.job, error=info))

    def _end(self, kind: str, message: Message) -> None:
        self._commands.forget(self._submit.job)
        self._say(kind, message)

    def _say(self, kind: str, message: Message) -> None:
        self._link.send(kind, self._submit.job, message, self._session)
