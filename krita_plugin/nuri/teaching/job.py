"""The job of Teach this style: coloured frames or pages, learnt by a separate process."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from protocol import launch
from protocol.errors import ErrorCode, NuriError

from .. import preview
from ..animation.key_frames import KeyFrame
from ..daemon import Backend
from ..jobs.layer_job import LayerJob, Outcome
from ..notice import Kind, Notice
from ..pixels.rows import Pixels
from ..qt import QImage, QObject, Qt
from ..steps import Work
from ..threads import JOBS, in_thread
from .lessons import Lesson, read_lessons

LEAST = 2  # coloured frames or pages
_READ_SHARE = 0.1
_POLL_MS = 200
_END_SECONDS = 3.0
_STEP = re.compile(r"step (\d+)/(\d+) .*?samples/s  (.+?) left")
_FIGURE = re.compile(r"^(?:regions|places) +([\d.]+) before, ([\d.]+) after$", re.MULTILINE)
_PREVIEW_WIDTH = 512
_REMEDIES = {
    "frame": "colour some frames of the animation, better four or more, then teach",
    "page": "open some coloured pages of one style with their lines, better four or more, "
    "then teach",
}


class TeachJob(LayerJob):
    """Teaches a style with the name ``name`` on ``lessons``: those of an animation, else ``pages``.

    It adds no layer. Ends with the picture of before and after, or with why there is no style.
    """

    def __init__(
        self,
        backend: Backend,
        lessons: list[Lesson],
        name: str,
        *,
        pages: bool,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(backend, parent)
        self.lessons, self.name = lessons, name
        self._unit = "page" if pages else "frame"
        self._process: subprocess.Popen[bytes] | None = None

    def cancel(self) -> None:
        if self._process is None:
            super().cancel()
        elif not self.cancelling:
            self.cancelling = True
            self._say(self.fraction, "Cancelling")
            _interrupt(self._process)

    def _work(self) -> Work:
        command = launch.training_command()
        folder = Path(tempfile.mkdtemp(prefix="nuri-style-"))
        try:
            self._say(0.0, f"Reading the coloured {self._unit}s")
            found = yield from read_lessons(self.lessons)
            total = sum(map(len, found))
            if total < LEAST:
                raise NuriError(
                    ErrorCode.bad_input,
                    f"{total} {self._unit}{'s are' if total != 1 else ' is'} coloured; a style "
                    f"needs {LEAST} at least",
                    _REMEDIES[self._unit],
                )
            for number, frames in enumerate(found):
                place = folder / str(number)
                place.mkdir()
                for key in frames:
                    self._say(_READ_SHARE / 2, f"Saving the coloured {self._unit}s")
                    yield from _save(key, place)
            return (yield from self._teach(command, folder, total))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _teach(self, command: list[str], folder: Path, frames: int) -> Work:
        """Runs the process to its end; returns `Outcome`. Raises `NuriError`."""
        self._say(_READ_SHARE, f"Looking at the {self._unit}s")
        log = folder / "log"
        self._process = process = launch.begin(
            [*command, "style", str(folder), "--name", self.name], log
        )
        try:
            while process.poll() is None:
                yield _POLL_MS
                self._tell(_words(log))
        finally:
            if process.poll() is None:
                _end(process)
            self._process = None
        said = _words(log)
        if self.cancelling:
            raise NuriError(ErrorCode.cancelled, "Teaching cancelled; there is no new style")
        if process.returncode:
            lines = said.strip().splitlines() or [f"it ended with code {process.returncode}"]
            reason = lines[-1].removeprefix("nuri-train: ")
            raise NuriError(
                ErrorCode.bad_input, f"The style was not learnt: {reason}", detail=said[-4000:]
            )
        before, after = (
            sum(float(pair[at]) for pair in _FIGURE.findall(said)) / 2 for at in (0, 1)
        )
        notice = Notice(
            Kind.done,
            f'The style "{self.name}" has learnt from {frames} {self._unit}s',
            f"of {self._unit}s held back {before:.0%} came out right before and {after:.0%} now; "
            "it is chosen under Model",
        )
        return Outcome("", _sheet(said), notice=notice)

    def _tell(self, said: str) -> None:
        if self.cancelling:
            return
        steps = _STEP.findall(said)
        if steps:
            done, total, left = steps[-1]
            share = int(done) / int(total)
            self._say(_READ_SHARE + (1 - _READ_SHARE) * share, f"Learning, {left} left")


def _save(key: KeyFrame, folder: Path) -> Work:
    """The lines and the colours of a frame as PNG files, on white."""
    for kind, pixels in (("line", key.line), ("color", key.seen)):
        path = folder / f"{kind}_{key.time:04}.png"
        if not (yield from in_thread(JOBS, _write, pixels, path)):
            raise NuriError(
                ErrorCode.disk_full,
                f"Nuri cannot write to the folder {folder.parent.parent}",
                "free some space there",
            )


def _write(pixels: Pixels, path: Path) -> bool:
    """Runs in a thread; compressing a large picture takes long."""
    picture: QImage = preview.whitened(pixels.width, pixels.height, pixels.data)
    return bool(picture.save(str(path), "PNG"))


def _sheet(said: str) -> QImage | None:
    """The picture of before and after that the process names at its end."""
    paths = [line for line in said.splitlines() if line.endswith(".png")]
    picture = QImage(paths[-1]) if paths else QImage()
    if picture.isNull():
        return None
    smooth = Qt.TransformationMode.SmoothTransformation
    return picture.scaledToWidth(min(_PREVIEW_WIDTH, picture.width()), smooth)


def _words(log: Path) -> str:
    try:
        return log.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Waits until it has gone: its files can be removed then, under Windows, too."""
    _interrupt(process)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)
