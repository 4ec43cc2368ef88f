"""A copy of a document that nobody sees, for what would leave undo steps in the artist's own."""

from __future__ import annotations

from typing import Any

from ..qt import QCoreApplication, QEvent
from ..steps import Work
from . import workbench


class HiddenCopy:
    """Use it with ``with``. Made when first needed: a document of many large layers takes long.

    Krita counts it as the artist's file, and would save it over their autosave when it has been
    changed: `settle` after each change, before the event loop turns.
    """

    def __init__(self, document: Any) -> None:
        self._original = document
        self._copy: Any = None
        self._benches: dict[tuple[str, str, str], Any] = {}

    def __enter__(self) -> HiddenCopy:
        return self

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self.settle()
            self._copy.close()
            self._copy = None
        while self._benches:
            workbench.drop(self._benches.popitem()[1])

    @property
    def document(self) -> Any:
        """The copy: layers keep their identities, pixels are shared until one side changes them."""
        if self._copy is None:
            self._copy = self._original.clone()
            # Krita 5.1 and 5.2 have no such call.
            if hasattr(self._copy, "setAutosave"):
                self._copy.setAutosave(False)
        return self._copy

    def bench(self, space: tuple[str, str, str]) -> Work:
        """A document with a colour space to make layers in that go nowhere; raises `NuriError`."""
        if space not in self._benches:
            self._benches[space] = yield from workbench.open_bench(space)
        return self._benches[space]

    def settle(self) -> None:
        """Waits for all changes of the copy; there is nothing to save then."""
        if self._copy is not None:
            self._copy.waitForDone()
            # Krita's threads tell of changes by such events, which would come later.
            QCoreApplication.sendPostedEvents(None, int(QEvent.Type.MetaCall))
            self._copy.setModified(False)

    def move_to(self, time: int) -> None:
        """Moves the playhead of the copy; that of the artist stays."""
        if self.document.currentTime() != time:
            self.document.setCurrentTime(time)
            self.settle()
