"""The daemon's log: one rotating file in the state folder; lines about a job name its [id]."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Any

from protocol.errors import several_lines
from protocol.folders import folder_error

LOG_NAME = "daemon.log"
_BYTES = 1 << 20
_FILES = 3
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


class _OneLine(logging.Formatter):
    """Messages quote the words of others, which must neither forge lines nor steer a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (so named in logging)
        record.message = several_lines(" ".join(record.message.splitlines()))
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (so named in logging)
        return several_lines(super().formatException(ei))


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
        handler.setFormatter(_OneLine(_FORMAT))
        logger.addHandler(handler)
    return path
