"""The daemon's log: one rotating file in the state folder; lines about a job name its [id]."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from protocol.folders import folder_error

LOG_NAME = "daemon.log"
_BYTES = 1 << 20
_FILES = 3
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def open_log(folder: Path) -> Path:
    """Sends the daemon's messages to the log file, and to the terminal where there is one.

    Returns the path of the file. A pipe gets nothing: one that nobody empties would stop us.

    Raises `NuriError` bad_input when the file cannot be written.
    """
    path = folder / LOG_NAME
    try:
        handlers: list[logging.Handler] = [
            logging.handlers.RotatingFileHandler(
                path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8"
            )
        ]
    except OSError as error:
        raise folder_error(path, error) from error
    if sys.stderr is not None and sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    logger = logging.getLogger("nuri")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
        logger.addHandler(handler)
    return path
