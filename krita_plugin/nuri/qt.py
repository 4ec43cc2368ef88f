"""The one place that knows PyQt5 (Krita 5) from PyQt6 (Krita 6).

Only names that mean the same in both leave this file; all code uses scoped enums, which both have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pykrita
from krita import DockWidgetFactoryBase

# Krita 5.1 and 5.2 do not tell; only PyQt5 exists for them. Trying an import would be wrong:
# a system's PyQt6 beside Krita 5 loads a second Qt and crashes.
QT_VERSION: int = getattr(pykrita, "qt_major_version", lambda: 5)()

if TYPE_CHECKING or QT_VERSION == 6:
    from PyQt6 import sip
    from PyQt6.QtCore import (
        QByteArray,
        QCoreApplication,
        QEvent,
        QObject,
        QPoint,
        QRect,
        QSize,
        Qt,
        QTimer,
        QUrl,
        pyqtSignal,
    )
    from PyQt6.QtGui import (
        QAction,
        QColor,
        QDesktopServices,
        QGuiApplication,
        QIcon,
        QImage,
        QImageReader,
        QPainter,
        QPalette,
        QPixmap,
    )
    from PyQt6.QtWidgets import (
        QCheckBox,
        QComboBox,
        QDialog,
        QDialogButtonBox,
        QFileDialog,
        QFrame,
        QGridLayout,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QListWidget,
        QListWidgetItem,
        QMenu,
        QPlainTextEdit,
        QProgressBar,
        QPushButton,
        QScrollArea,
        QSizePolicy,
        QStackedWidget,
        QStyle,
        QToolButton,
        QVBoxLayout,
        QWidget,
    )
else:
    from PyQt5 import sip
    from PyQt5.QtCore import (
        QByteArray,
        QCoreApplication,
        QEvent,
        QObject,
        QPoint,
        QRect,
        QSize,
        Qt,
        QTimer,
        QUrl,
        pyqtSignal,
    )
    from PyQt5.QtGui import (
        QColor,
        QDesktopServices,
        QGuiApplication,
        QIcon,
        QImage,
        QImageReader,
        QPainter,
        QPalette,
        QPixmap,
    )
    from PyQt5.QtWidgets import (
        QAction,
        QCheckBox,
        QComboBox,
        QDialog,
        QDialogButtonBox,
        QFileDialog,
        QFrame,
        QGridLayout,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QListWidget,
        QListWidgetItem,
        QMenu,
        QPlainTextEdit,
        QProgressBar,
        QPushButton,
        QScrollArea,
        QSizePolicy,
        QStackedWidget,
        QStyle,
        QToolButton,
        QVBoxLayout,
        QWidget,
    )

# Krita 6 has it as a member of the enum alone.
DOCK_RIGHT = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase).DockRight

__all__ = [
    "DOCK_RIGHT",
    "QT_VERSION",
    "QAction",
    "QByteArray",
    "QCheckBox",
    "QColor",
    "QComboBox",
    "QCoreApplication",
    "QDesktopServices",
    "QDialog",
    "QDialogButtonBox",
    "QEvent",
    "QFileDialog",
    "QFrame",
    "QGridLayout",
    "QGuiApplication",
    "QHBoxLayout",
    "QIcon",
    "QImage",
    "QImageReader",
    "QLabel",
    "QLineEdit",
    "QListWidget",
    "QListWidgetItem",
    "QMenu",
    "QObject",
    "QPainter",
    "QPalette",
    "QPixmap",
    "QPlainTextEdit",
    "QPoint",
    "QProgressBar",
    "QPushButton",
    "QRect",
    "QScrollArea",
    "QSize",
    "QSizePolicy",
    "QStackedWidget",
    "QStyle",
    "QTimer",
    "QToolButton",
    "QUrl",
    "QVBoxLayout",
    "QWidget",
    "Qt",
    "pyqtSignal",
    "sip",
]
