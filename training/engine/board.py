"""TensorBoard's part of a run folder."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np

from training.errors import TrainingError

_log = logging.getLogger("nuri.training")


class Board:
    """Curves and pictures for TensorBoard; points of ``start`` and later steps are drawn anew.

    Raises TrainingError where TensorBoard is missing, the disk is full or the folder's name is no
    text.
    """

    def __init__(self, folder: Path, start: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "TensorBoard is not installed", "pip install 'nuri[training]'"
            ) from error
        self.folder = folder
        self._told = False
        self._hook = threading.excepthook
        threading.excepthook = self._on_thread_error
        try:
            self._writer = SummaryWriter(str(folder), purge_step=start or None)
        except UnicodeError as error:
            threading.excepthook = self._hook
            raise TrainingError(
                f"TensorBoard cannot write {folder}: its name is not UTF-8",
                "choose a folder with another name",
            ) from error
        except OSError as error:
            threading.excepthook = self._hook
            raise self._failure(error) from error

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """A point on each curve."""
        try:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
        except OSError as error:
            raise self._failure(error) from error

    def picture(self, step: int, grid: np.ndarray) -> None:
        """A picture (H, W, 3) uint8."""
        try:
            self._writer.add_image("samples", grid, step, dataformats="HWC")
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Write what waits. A full disk cuts the curves here, which metrics.jsonl has, too."""
        try:
            self._writer.close()
        except OSError as error:
            if not self._told:
                _log.warning("%s", self._failure(error))
        threading.excepthook = self._hook

    def _failure(self, error: OSError) -> TrainingError:
        self._told = True
        reason = (error.strerror or str(error)).lower()
        return TrainingError(
            f"cannot write {self.folder} ({reason})", "free space or choose another folder"
        )

    def _on_thread_error(self, arguments: threading.ExceptHookArgs) -> None:
        """The writer's thread keeps its error for the next call, which tells it in one line."""
        ours = type(arguments.thread).__module__.startswith("tensorboard")
        if not (ours and issubclass(arguments.exc_type, OSError)):
            self._hook(arguments)
