"""Long work in short steps on the GUI thread: Krita's objects may not be touched from another."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Generator
from typing import Any, ClassVar

from protocol.errors import ErrorCode, NuriError

from .qt import QObject, QTimer, pyqtSignal

# What a generator yields: after how many milliseconds it wants to go on (0: the next turn).
Work = Generator[int, None, Any]
_APART_MS = 10


class Steps(QObject):
    """Runs a generator, one step per turn of the event loop, never within a step of another one:
    Krita turns its event loop while it changes a document, and hangs if it is changed again there.

    ``finished`` carries what the generator returned, ``failed`` a `NuriError`; one of them comes,
    once, unless `stop` comes first.
    """

    finished = pyqtSignal(object)
    failed = pyqtSignal(object)
    _is_stepping: ClassVar[bool] = False

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._step)

    def start(self) -> None:
        self._timer.start(0)

    def stop(self) -> bool:
        """Ends the work where it stands; its ``finally`` blocks run now.

        False in the middle of a step: Krita turns its event loop while it adds a layer.
        """
        if inspect.getgeneratorstate(self._work) == inspect.GEN_RUNNING:
            return False
        self._timer.stop()
        self._work.close()
        return True

    def _next(self) -> int:
        Steps._is_stepping = True
        try:
            return next(self._work)
        finally:
            Steps._is_stepping = False

    def _step(self) -> None:
        if Steps._is_stepping:
            self._timer.start(_APART_MS)
            return
        try:
            delay = self._next()
        except StopIteration as end:
            self.finished.emit(end.value)
        except NuriError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - an exception in a slot is a modal dialog in Krita
            self.failed.emit(
                NuriError(
                    ErrorCode.internal,
                    f"Nuri stumbled: {type(error).__name__}: {error}",
                    "your layers are untouched; try again, and report the details if it comes back",
                    detail=traceback.format_exc(),
                )
            )
        else:
            self._timer.start(delay)
