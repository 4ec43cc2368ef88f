"""Test-only plugin: runs the script $NURI_TEST_SCRIPT inside Krita and writes what came out.

A script holds generators named check_*; each gets a `Stage`, yields milliseconds to let Krita's
event loop turn, asserts, and may return facts (a dict). They run one after the other; what one
raises is its own failure. The outcome goes to $NURI_TEST_RESULT as JSON, whole or not at all.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback

from krita import Extension, Krita
from PyQt5.QtCore import QTimer

from .stage import Stage

# The Layers docker handles changes in a later turn; quitting before that crashes Krita.
_SETTLE_MS = 600


class Hook(Extension):
    def __init__(self, parent):
        super().__init__(parent)
        self.stage = None

    def setup(self):
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.windowCreated.connect(self._begin)

    def createActions(self, window):  # noqa: N802 - Krita's name
        pass

    def _begin(self):
        script = os.environ.get("NURI_TEST_SCRIPT")
        if script and self.stage is None:
            self.stage = Stage()
            self.outcomes = {}
            QTimer.singleShot(0, lambda: self._load(script))

    def _load(self, script):
        # Krita's own hook opens a modal dialog, which would hang the run.
        sys.excepthook = self._stray
        self.strays = []
        names = {"__name__": "nuri_inside", "__file__": script}
        try:
            with open(script) as file:
                exec(compile(file.read(), script, "exec"), names)
        except BaseException:  # noqa: BLE001 - it is written down
            self.strays.append(traceback.format_exc())
        wanted = os.environ.get("NURI_TEST_ONLY", "")
        self.checks = [
            (name, check)
            for name, check in names.items()
            if name.startswith("check_") and (not wanted or name in wanted.split(","))
        ]
        self._next_check()

    def _next_check(self):
        if not self.checks:
            self._finish()
            return
        name, check = self.checks.pop(0)
        print("CHECK", name, file=sys.__stderr__, flush=True)
        self._began = time.monotonic()
        self._step(name, check(self.stage))

    def _step(self, name, steps):
        error, facts = "", None
        try:
            delay = next(steps)
        except StopIteration as end:
            facts = end.value
        except BaseException:  # noqa: BLE001 - it is written down
            error = traceback.format_exc()
        else:
            QTimer.singleShot(delay or 0, lambda: self._step(name, steps))
            return
        self.outcomes[name] = {
            "error": error,
            "facts": facts,
            "strays": self.strays,
            "seconds": round(time.monotonic() - self._began, 2),
        }
        if error:
            self.stage.screenshot(f"failed-{name}")
        self.strays = []
        self._write()
        # Documents stay open: closing one safely takes longer than making the next.
        QTimer.singleShot(50, self._next_check)

    def _stray(self, kind, value, trace):
        self.strays.append("".join(traceback.format_exception(kind, value, trace)))

    def _write(self):
        path = os.environ["NURI_TEST_RESULT"]
        with open(path + ".part", "w") as file:
            json.dump(self.outcomes, file, indent=1, default=repr)
        os.replace(path + ".part", path)

    def _finish(self):
        self.outcomes["strays"] = self.strays
        self._write()

        def quit_krita():
            for document in Krita.instance().documents():
                document.waitForDone()
                document.setModified(False)
            Krita.instance().action("file_quit").trigger()

        QTimer.singleShot(_SETTLE_MS, quit_krita)


Krita.instance().addExtension(Hook(Krita.instance()))
