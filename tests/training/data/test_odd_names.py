"""Files whose names are no UTF-8, as old disks and archives have them."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.cli import main
from training.data import procedural
from training.data.hashing import data_hash
from training.data.lists import listed
from training.data.sources import in_held_out_part
from training.engine.fingerprint import fingerprint
from training.matching.drawings import made_once, prepare
from training.papers import sources
from training.presets import parse

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="file systems of Linux")
SMALL = ["model.width=2", "critic.width=4", "data.size=64", "data.workers=0", "train.batch=2"]
SETTINGS = [*SMALL, "eval.limit=2", "eval.metrics=psnr", "train.steps=1"]


def odd(name: bytes) -> str:
    return os.fsdecode(name)


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Pairs in the folders color/ and line/ of a folder, all with names in Latin 1."""
    folder = tmp_path / odd(b"s\xe9t")
    for index in range(20):
        toon = procedural.toon(index, 48)
        for kind, pixels in (("color", toon.paint), ("line", toon.drawing)):
            path = folder / kind / odd(b"d\xe9%02d.png" % index)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                Image.fromarray(pixels).save(file, "PNG")
    return folder


def test_a_network_is_trained_and_measured_on_them(drawings: Path, tmp_path: Path) -> None:
    run, data = tmp_path / "run", ["--data", str(drawings)]
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    call = ["train", "aaldc/sga", *data, "-o", str(run), "--device", "cpu", "--quiet", *settings]
    assert main(["prepare", "aaldc/sga", *data, *settings]) == 0
    assert main(call) == 0
    assert main(["evaluate", str(run), *data, "--device", "cpu"]) == 0
    assert (run / "run.json").read_text(encoding="utf-8").count(r"s\udce9t")
    card = tmp_path / "network.safetensors"
    assert main(["export", str(run), "-o", str(card)]) == 0


def test_hashes_are_those_of_the_bytes_on_the_disk(drawings: Path, tmp_path: Path) -> None:
    config = parse("aaldc", SETTINGS).as_config()
    assert data_hash(sources.samples(config, drawings, "train")).startswith("content:")
    state = hashlib.sha256()
    for path in sorted(path for path in drawings.rglob("*") if path.is_file()):
        name = os.fsencode(path.relative_to(drawings))
        state.update(name + b"\0%d\0" % path.stat().st_size + path.read_bytes())
    assert fingerprint(drawings) == state.hexdigest()[:16]


@pytest.mark.parametrize("name", ["plain", "é", odd(b"\xe9")])
def test_the_held_out_part_goes_by_the_bytes_of_a_name(name: str) -> None:
    first = int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:4], "big")
    for share in (first / 2**32, (first + 1) / 2**32):
        assert in_held_out_part(name, share) == (first < share * 2**32)


def test_a_list_names_them_as_they_are(drawings: Path, tmp_path: Path) -> None:
    config = parse("aaldc", SETTINGS).as_config()
    source = sources.samples(config, drawings, "train").source
    path = tmp_path / "list.txt"
    path.write_bytes(b"".join(os.fsencode(f"{source.label(index)}\n") for index in (2, 1)))
    part = listed(source, path, True)
    assert [part.label(index) for index in range(len(part))] == [source.label(2), source.label(1)]


def test_drawings_of_the_matcher_are_prepared(drawings: Path, tmp_path: Path) -> None:
    line, color = (drawings / kind / odd(b"d\xe900.png") for kind in ("line", "color"))
    once, again = (prepare(line, color, tmp_path / "cache") for _ in range(2))
    assert np.array_equal(once.areas, again.areas)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    kept = made_once(line, color, tmp_path / "cache", "", lambda *_: pytest.fail("made again"))
    assert np.array_equal(kept["areas"], once.areas)
