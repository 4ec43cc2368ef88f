"""What colours: the models that the backend has, each in one line, to choose from."""

from __future__ import annotations

from typing import Any

from ..actions import Actions
from ..qt import QMenu, QSizePolicy, QToolButton, QWidget
from ..settings import COLOURING

# What is chosen for, its heading, and the tasks of the backend that may do it.
_SECTIONS = (
    (COLOURING, "Colorize layer", ("layer", "flats")),
    ("greyscale", "Colorize grey painting", ("greyscale",)),
    ("lines", "Extract lines", ("lines",)),
)
_AUTOMATIC = "Automatic"
# What the choice of the plugin itself means; elsewhere the backend takes its first model.
_MEANING = {COLOURING: 'Automatic: matching, or flats with "Fill areas without a hint"'}


class ModelButton(QToolButton):
    """Shows the choice for Colorize layer; its menu has all choices."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_models")
        self.setToolTip("What Nuri colours with")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._actions = actions
        self._menu = QMenu(self)
        self._menu.setObjectName("nuri_models_menu")
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self.show_choice()

    def show_choice(self) -> None:
        """The name of the model that Colorize layer takes."""
        self.setText(self._actions.model(COLOURING).rpartition("/")[2] or _AUTOMATIC)

    def _fill(self) -> None:
        self._menu.clear()
        models = self._actions.backend.models
        if not models:
            connect = self._menu.addAction("Ask the backend what it has")
            connect.triggered.connect(lambda: self._actions.connect_backend())
            return
        for purpose, heading, tasks in _SECTIONS:
            fitting = [model for model in models if model.get("task") in tasks]
            if fitting:
                self._menu.addSeparator()
                self._menu.addAction(heading).setEnabled(False)
                self._choice(purpose, "", _MEANING.get(purpose, _AUTOMATIC), True)
            for model in fitting:
                self._offer(purpose, model)

    def _offer(self, purpose: str, model: dict[str, Any]) -> None:
        name, is_installed = str(model.get("id", "")), bool(model.get("installed", True))
        text = f"{name}: {model.get('title', '')}"
        if not is_installed:
            text += " (its weights are not installed)"
        value = f"{model['task']}/{name}" if purpose == COLOURING else name
        self._choice(purpose, value, text, is_installed)

    def _choice(self, purpose: str, value: str, text: str, is_enabled: bool) -> None:
        entry = self._menu.addAction(text.replace("&", "&&"))
        entry.setCheckable(True)
        entry.setChecked(self._actions.model(purpose) == value)
        entry.setEnabled(is_enabled)
        entry.triggered.connect(lambda: self._choose(purpose, value))

    def _choose(self, purpose: str, value: str) -> None:
        self._actions.set_model(purpose, value)
        self.show_choice()
