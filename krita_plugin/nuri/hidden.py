"""A copy of a document that nobody sees, for what would leave undo steps in the artist's own."""

from __future__ import annotations

from typing import Any


class HiddenCopy:
    """Use it with ``with``. Made when first needed: a document of many large layers takes long."""

    def __init__(self, document: Any) -> None:
        self._original = document
        self._copy: Any = None

    def __enter__(self) -> HiddenCopy:
        return self

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.waitForDone()
            self._copy.setModified(False)
            self._copy.close()
            self._copy = None

    @property
    def document(self) -> Any:
        """The copy: layers keep their identities, pixels are shared until one side changes them."""
        if self._copy is None:
            self._copy = self._original.clone()
        return self._copy
