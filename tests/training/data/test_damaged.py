"""Pictures that cannot be read: named once, replaced in training, and never all of a set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.data import MangaDataset, MonochromeDataset, PairedLineDataset, procedural
from training.data.layouts import pair_source, photo_entries
from training.data.sets import open_pairs
from training.data.sources import FilePictures
from training.errors import TrainingError

from .conftest import save

SETTINGS = {"size": 32, "count": 4, "seed": 0, "set": ""}


def test_a_damaged_picture_is_named_once_and_no_other_is_doubled(
    drawings: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = drawings(3)
    (folder / "color" / "d1.png").write_bytes(b"\x89PNG\r\n\x1a\n no")

    dataset = PairedLineDataset(pair_source(folder, "set"), 32)
    names = [dataset[(epoch, 1)]["name"] for epoch in range(16)]
    assert set(names) == {"d0", "d2"} and caplog.text.count("d1.png") == 1
    assert names == [dataset[(epoch, 1)]["name"] for epoch in range(16)]
    assert len(dataset.check()) == 1 and caplog.text.count("d1.png") == 1
    assert "d1.png" in dataset.flaw(1) and not dataset.flaw(0)
    assert dataset.left_out == [dataset.flaw(1)]


def test_both_pages_of_a_fine_tuning_sample_are_named(tmp_path: Path) -> None:
    for folder, bad in (("black", 0), ("color", 2)):
        for index in range(3):
            picture = procedural.page(index, 64).paint
            save(tmp_path / folder / f"{folder}{index}.png", picture)
        (tmp_path / folder / f"{folder}{bad}.png").write_bytes(b"")
    black, colored = (
        MangaDataset(FilePictures(name, photo_entries(tmp_path / name), tmp_path / name), 64)
        for name in ("black", "color")
    )
    dataset = MonochromeDataset(black, colored)
    for epoch in range(8):
        for index in range(3):
            dataset[(epoch, index)]
    named = [name for line in dataset.left_out for name in ("black0", "color2") if name in line]
    assert sorted(set(named)) == ["black0", "color2"]


def test_pairs_of_which_none_can_be_read_name_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    with pytest.raises(TrainingError, match=r"none of the 2 pictures.*a\.png"):
        open_pairs(SETTINGS, tmp_path, "train")


def test_check_names_what_is_wrong(drawings: Callable[..., Path]) -> None:
    folder = drawings(3)
    (folder / "line" / "d2.png").write_bytes(b"")
    save(folder / "color" / "d1.png", np.zeros((9, 9, 3), np.uint8))

    found = PairedLineDataset(pair_source(folder, "set"), 32).check()
    assert len(found) == 2 and "d1.png" in found[0] and "d2.png" in found[1]


def test_set_with_nothing_left_fails_at_once(drawings: Callable[..., Path]) -> None:
    folder = drawings(2)
    for path in (folder / "color").iterdir():
        path.write_bytes(b"junk")

    with pytest.raises(TrainingError, match="none of the 2 samples"):
        PairedLineDataset(pair_source(folder, "set"), 32)
