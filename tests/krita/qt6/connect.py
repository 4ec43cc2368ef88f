"""Connects to the backend as a job does, and stops it; prints where the connection stood."""

from __future__ import annotations

import time

from PyQt6.QtWidgets import QApplication

application = QApplication([])
import nuri  # noqa: E402, F401 - needs the application, as in Krita
from nuri.daemon import Backend  # noqa: E402

backend = Backend()
work = backend.client()
try:
    while True:
        time.sleep(next(work) / 1000)
except StopIteration as end:
    client = end.value
print(backend.state.name)
client.shutdown()
backend.close()
