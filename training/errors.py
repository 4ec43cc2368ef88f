"""The one kind of failure that a user of `nuri-train` meets: what happened and what to do."""

from __future__ import annotations


class TrainingError(Exception):
    """A failure told in one line.

    ``message`` names the file, key or term; ``action`` is the remedy and may be empty.
    """

    def __init__(self, message: str, action: str = "") -> None:
        self.message = " ".join(message.split())
        self.action = " ".join(action.split())
        super().__init__(self.message, self.action)

    def __str__(self) -> str:
        return f"{self.message}: {self.action}" if self.action else self.message
