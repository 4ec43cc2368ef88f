"""Stands in for the module of Krita 6, which cannot be installed beside Krita 5: an application
without documents. Its widgets are those of the real PyQt6.
"""

from __future__ import annotations

import enum
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QIcon
from PyQt6.QtWidgets import QDockWidget, QMainWindow


class Extension(QObject):
    pass


class DockWidget(QDockWidget):
    pass


class DockWidgetFactoryBase:
    class DockPosition(enum.Enum):
        DockRight = 3


class DockWidgetFactory(DockWidgetFactoryBase):
    def __init__(self, name: str, position: Any, docker: type[DockWidget]) -> None:
        self.name, self.position, self.docker = name, position, docker


class Notifier(QObject):
    applicationClosing = pyqtSignal()

    def setActive(self, active: bool) -> None:
        pass


class Window(QObject):
    def __init__(self) -> None:
        super().__init__()
        self._window = QMainWindow()
        self.actions: dict[str, QAction] = {}

    def qwindow(self) -> QMainWindow:
        return self._window

    def activeView(self) -> None:
        return None

    def createAction(self, name: str, text: str, menu: str) -> QAction:
        self.actions[name] = QAction(text, self._window)
        return self.actions[name]


class Krita(QObject):
    _only: Krita | None = None

    def __init__(self) -> None:
        super().__init__()
        self._notifier, self._window = Notifier(), Window()
        self._settings: dict[tuple[str, str], str] = {}
        self.extensions: list[Any] = []
        self.factories: list[DockWidgetFactory] = []

    @classmethod
    def instance(cls) -> Any:
        if cls._only is None:
            cls._only = Krita()
        return cls._only

    def version(self) -> str:
        return "6.0.0"

    def notifier(self) -> Notifier:
        return self._notifier

    def activeWindow(self) -> Window:
        return self._window

    def activeDocument(self) -> None:
        return None

    def documents(self) -> list[Any]:
        return []

    def icon(self, name: str) -> QIcon:
        return QIcon()

    def readSetting(self, group: str, name: str, default: str) -> str:
        return self._settings.get((group, name), default)

    def writeSetting(self, group: str, name: str, value: str) -> None:
        self._settings[group, name] = value

    def addExtension(self, extension: Any) -> None:
        self.extensions.append(extension)

    def addDockWidgetFactory(self, factory: DockWidgetFactory) -> None:
        self.factories.append(factory)
