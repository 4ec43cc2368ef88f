"""TensorBoard's folder: names that it cannot write."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from training.engine.board import Board
from training.errors import TrainingError


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    before = threading.excepthook
    with pytest.raises(TrainingError, match="its name is not UTF-8") as caught:
        Board(Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff")), 0)
    assert "another name" in str(caught.value)
    assert threading.excepthook is before
