from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backend.weights import manifest
from backend.weights.manifest import Entry

ENTRY = Entry(
    id="line.art 2",
    file="a.safetensors",
    network="line_extractor",
    sha256="0" * 64,
    bytes=12,
    licence='CC BY-SA 4.0 "the sets"',
    data=("Pepper & Carrot\\", "наброски"),
    command="nuri-train train x --set a='b'\n",
    figures={"psnr": 21.5, "exact share": 0.97},
)


def test_entries_come_back_as_written(tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text("# kept\n\n# words\n", encoding="utf-8")
    for entry in (ENTRY, replace(ENTRY, id="b", figures={}), replace(ENTRY, bytes=13)):
        text = manifest.with_entry(tmp_path, entry)
        (tmp_path / manifest.NAME).write_text(text, encoding="utf-8")
    found = manifest.read(tmp_path)
    assert found == {"b": replace(ENTRY, id="b", figures={}), ENTRY.id: replace(ENTRY, bytes=13)}
    assert text.startswith("# kept\n\n# words\n")


def test_a_file_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    text = manifest.text_of(replace(ENTRY, file="../a.safetensors"))
    (tmp_path / manifest.NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="outside"):
        manifest.read(tmp_path)


def test_a_folder_without_a_list_has_nothing(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) == {}
