"""What the artist has chosen for every document; Krita remembers it."""

from __future__ import annotations

from krita import Krita

from .qt import QObject

COLOURING = "colouring"  # what Colorize layer takes a model for, whichever task it becomes
_SETTINGS = "nuri"


class Settings(QObject):
    """Options and models, in Krita's own settings."""

    def flag(self, name: str) -> bool:
        """An option of the docker, remembered by Krita, such as fill_unhinted."""
        return bool(Krita.instance().readSetting(_SETTINGS, name, "false") == "true")

    def set_flag(self, name: str, value: bool) -> None:
        Krita.instance().writeSetting(_SETTINGS, name, "true" if value else "false")

    def model(self, task: str) -> str:
        """The model that the artist chose for a task; "" lets the backend choose.

        For COLOURING the name of its task comes first: "layer/matching".
        """
        return str(Krita.instance().readSetting(_SETTINGS, f"model_{task}", ""))

    def set_model(self, task: str, model: str) -> None:
        Krita.instance().writeSetting(_SETTINGS, f"model_{task}", model)
