"""The commands that the list of shipped weights names are commands of today."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from backend.weights import manifest
from training import presets
from training.commands.match import ROOM
from training.parser import WEIGHTS, build_parser
from training.presets.configuration import read_toml

ENTRIES = manifest.read(WEIGHTS)
DEFAULTS = {"match": "defaults.toml", "borders": "borders.toml", "choose": "choosing.toml"}


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_every_run_can_be_asked_for(name: str) -> None:
    lines = ENTRIES[name].command.splitlines()
    runs = [shlex.split(line) for line in lines if not line.startswith("# ")]
    assert runs
    made: set[Path] = set()
    for program, command, *words in runs:
        assert program == "nuri-train"
        options = build_parser().parse_args([command, *words])
        if command == "train":
            presets.parse(options.preset, options.settings)
        else:
            presets.apply_settings(read_toml(ROOM / DEFAULTS[command]), options.settings)
            assert options.start is None or options.start.with_suffix("") in made
        made.add(options.output)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_cards_name_the_same_command(name: str) -> None:
    card = (WEIGHTS / f"{name}.md").read_text(encoding="utf-8")
    assert f"```\n{ENTRIES[name].command}\n```" in card
