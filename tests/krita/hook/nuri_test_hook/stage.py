"""What a test script does inside Krita: make documents, trigger menu entries, wait, look."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from krita import Krita, Selection
from PyQt5.QtCore import QPoint, QTimer
from PyQt5.QtWidgets import QApplication, QListView, QMenu, QMenuBar, QWidget

from .pictures import SPACES, SRGB, Rooms


class Stage:
    """Helpers for checks; everything that waits is a generator (``yield from``)."""

    def __init__(self):
        self.krita = Krita.instance()
        self.root = Path(os.environ["NURI_TEST_ROOT"])
        self.project = Path(os.environ["NURI_TEST_PROJECT"])
        self.output = Path(os.environ["NURI_TEST_OUTPUT"])

    # Documents and layers

    def document(self, width, height, model="RGBA", depth="U8", profile=SRGB):
        """A visible document with the white Background that Krita gives every new one."""
        made = self.krita.createDocument(width, height, "test", model, depth, profile, 72.0)
        self.krita.activeWindow().addView(made)
        made.waitForDone()
        return made

    def layer(self, document, name, parent=None, above=None):
        node = document.createNode(name, "paintlayer")
        (parent or document.rootNode()).addChildNode(node, above)
        return node

    def fill(self, document, node, pixel, x, y, width, height):
        """One rectangle of one colour; ``pixel``: the raw bytes in the layer's format."""
        node.setPixelData(pixel * (width * height), x, y, width, height)

    def draw(self, document, node, ink=SPACES["rgba8"][1]):
        """The two rooms; returns their places."""
        rooms = Rooms(document.width(), document.height())
        for rectangle in rooms.lines():
            self.fill(document, node, ink, *rectangle)
        return rooms

    def hint(self, document, node, rooms, colours=SPACES["rgba8"][2:]):
        for colour, rectangle in zip(colours, rooms.dots(), strict=True):
            self.fill(document, node, colour, *rectangle)

    def drawing(self, space="rgba8", width=320, height=240, paint_hints=True):
        """A document with Background, Ink (the rooms) and Nuri hints by the menu entry.

        Returns (document, ink layer, hint layer, rooms).
        """
        (model, depth, profile), ink, *colours = SPACES[space]
        document = self.document(width, height, model, depth, profile)
        assert document.colorProfile() == profile, document.colorProfile()
        line = self.layer(document, "Ink")
        rooms = self.draw(document, line, ink)
        yield 60
        self.trigger("nuri_new_hint_layer")
        yield 60
        hints = document.nodeByName("Nuri hints")
        if paint_hints:
            self.hint(document, hints, rooms, colours)
        self.refresh(document)
        yield 30
        return document, line, hints, rooms

    def refresh(self, document):
        document.refreshProjection()
        document.waitForDone()

    def names(self, node):
        return [child.name() for child in node.childNodes()]

    def pixel(self, node, x, y):
        return bytes(node.pixelData(x, y, 1, 1))

    def pixels(self, document, node):
        return bytes(node.pixelData(0, 0, document.width(), document.height()))

    def selection(self, x, y, width, height):
        selection = Selection()
        selection.select(x, y, width, height, 255)
        return selection

    def fingerprint(self, document, skip=()):
        """Everything of the artist's that must stay: names, order, pixels, of all layers."""
        width, height = document.width(), document.height()
        found = []

        def visit(node, depth):
            for child in node.childNodes():
                if child.name() in skip:
                    continue
                pixels = hash(bytes(child.pixelData(-64, -64, width + 128, height + 128)))
                state = child.visible(), child.opacity(), child.blendingMode(), child.locked()
                found.append((depth, child.name(), child.type(), pixels, *state))
                visit(child, depth + 1)

        visit(document.rootNode(), 0)
        return found

    def activate(self, document, node):
        document.setActiveNode(node)
        yield 150

    # The plugin, as its user meets it

    def trigger(self, name):
        action = self.krita.action(name)
        assert action is not None, f"no action {name}"
        assert action.isEnabled(), f"the action {name} is disabled"
        action.trigger()

    def widget(self, name):
        found = [w for w in QApplication.allWidgets() if w.objectName() == name]
        assert found, f"no widget {name}"
        return found[0]

    def docker(self):
        return next(d for d in self.krita.dockers() if d.objectName() == "nuri_docker")

    def actions(self):
        """The plugin's own state."""
        return type(self.docker()).commands

    def notice(self):
        """(kind, message, remedy, first offer) that the docker shows for the active document."""
        notice = self.actions().desk().notice
        if notice is None:
            return None
        offer = notice.offers[0].name if notice.offers else ""
        return notice.kind.value, notice.message, notice.remedy, offer

    def colorize(self, seconds=60):
        """Colorize layer; returns the notice."""
        return (yield from self.perform("nuri_colorize_layer", seconds))

    def perform(self, name, seconds=60):
        """Triggers a menu entry and waits until its job has ended; returns the notice."""
        self.trigger(name)
        yield from self.until(lambda: self.actions().desk().job is None, seconds, name)
        yield 50
        return self.notice()

    def trace_stages(self, watch):
        """A dict that fills itself with the longest gap in each stage of the running job."""
        longest = {}

        def note(gap):
            job = self.actions().desk().job
            stage = job.stage if job is not None else "before and after"
            longest[stage] = max(longest.get(stage, 0.0), round(gap, 1))

        watch.listener = note
        return longest

    def until(self, condition, seconds=10, what="it"):
        give_up = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < give_up, f"waited {seconds} s for {what}"
            yield 20

    def history(self):
        """The texts of the undo stack, as the Undo History docker lists them."""
        docker = next(d for d in self.krita.dockers() if d.objectName() == "History")
        model = docker.findChildren(QListView)[0].model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    def undo(self, document):
        self.krita.action("edit_undo").trigger()
        document.waitForDone()
        yield 80

    def redo(self, document):
        self.krita.action("edit_redo").trigger()
        document.waitForDone()
        yield 80

    def close(self, document):
        """As a user who says no to saving; Krita needs a moment after the last change."""
        yield 600
        document.waitForDone()
        document.setModified(False)
        document.close()
        yield 200

    # For the driver outside, which moves the mouse

    def resize_window(self, width, height):
        self.krita.activeWindow().qwindow().setGeometry(0, 0, width, height)
        yield 300

    def screenshot(self, name):
        path = self.output / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], check=False, timeout=20)
        return path

    def places(self):
        """Screen positions of what a user can click: our widgets, menu entries, the canvas."""
        found = {}
        for widget in QApplication.allWidgets():
            if not widget.isVisible():
                continue
            if widget.objectName().startswith("nuri_"):
                found[widget.objectName()] = _middle(widget, widget.rect())
            if isinstance(widget, (QMenu, QMenuBar)):
                for action in widget.actions():
                    if action.text():
                        key = "menu:" + action.text().replace("&", "")
                        found[key] = _middle(widget, widget.actionGeometry(action))
            if widget.metaObject().className() in ("KisQPainterCanvas", "KisOpenGLCanvas2"):
                corner = widget.mapToGlobal(QPoint(0, 0))
                found["canvas"] = [corner.x(), corner.y(), widget.width(), widget.height()]
        return found

    def mouse(self, *command):
        """Real input through xdotool, while Krita's event loop goes on turning."""
        process = subprocess.Popen(["xdotool", *map(str, command)], stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + 20
        while process.poll() is None:
            assert time.monotonic() < give_up, "xdotool hangs"
            yield 10
        assert process.returncode == 0, command
        yield 30

    def click(self, key):
        """A click of the left button on one of `places`."""
        yield from self.until(lambda: key in self.places(), 5, f"{key} to be seen")
        x, y = self.places()[key][:2]
        yield from self.mouse("mousemove", x, y)
        yield 100
        yield from self.mouse("click", 1)
        yield 250


class GapWatch:
    """The longest time that the event loop was held up, by a 2 ms timer."""

    def __init__(self):
        self.gaps = []
        self.listener = None
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(2)

    def _tick(self):
        now = time.perf_counter()
        gap = (now - self._last) * 1000
        self.gaps.append(gap)
        if self.listener is not None:
            self.listener(gap)
        self._last = now

    def stop(self):
        self._timer.stop()
        return sorted(self.gaps, reverse=True)


class SleepingBackend:
    """Use it with ``with``: the backend that the plugin starts meanwhile does nothing at all.

    ``script``: what it does instead of the backend's work.
    """

    def __init__(self, folder, script="exec sleep 100"):
        self._script = script
        self._command, self._pids = folder / "sleeper", folder / "sleeper.pids"
        self._backend = os.environ["NURI_BACKEND"]

    def __enter__(self):
        self._command.write_text(f'#!/bin/sh\necho $$ >> "{self._pids}"\n{self._script}\n')
        self._command.chmod(0o755)
        os.environ["NURI_BACKEND"] = str(self._command)
        return self

    def __exit__(self, *_):
        os.environ["NURI_BACKEND"] = self._backend
        pids = self._pids.read_text().split() if self._pids.exists() else []
        for pid in map(int, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._pids.unlink(missing_ok=True)


def daemon_pid():
    """The process of the daemon that runs."""
    return json.loads(Path(os.environ["NURI_CONNECTION"]).read_text())["pid"]


def kill_daemon():
    """Takes away the daemon, if one runs."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(daemon_pid(), signal.SIGKILL)


def _middle(widget: QWidget, rectangle):
    point = widget.mapToGlobal(rectangle.center())
    return [point.x(), point.y()]
