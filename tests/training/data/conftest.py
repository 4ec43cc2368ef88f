"""A cache of its own for each test, and folders of small pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import procedural


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("NURI_CACHE", str(folder))
    return folder


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


@pytest.fixture
def drawings(tmp_path: Path) -> Callable[..., Path]:
    """Makes color/, line/ and seg/ folders of generated drawings."""

    def make(count: int = 4, folder: str = "set", size: int = 48) -> Path:
        for index in range(count):
            toon = procedural.toon(index, size)
            save(tmp_path / folder / "color" / f"d{index}.png", toon.paint)
            save(tmp_path / folder / "line" / f"d{index}.png", toon.drawing)
            save(tmp_path / folder / "seg" / f"d{index}.png", toon.areas.astype(np.uint8))
        return tmp_path / folder

    return make
