"""`nuri animate` and layers: of stills, of a .kra animation, and where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console, one_line
from tests.backend.imaging import files

pytestmark = pytest.mark.usefixtures("matcher_shelf")

KRITA_FILE = Path(shots.__file__).parent / "imaging" / "krita_files" / "animation.kra"


def ink(line: np.ndarray) -> np.ndarray:
    """(H, W, 4) black where the line is, else clear."""
    pixels = np.zeros((*line.shape, 4), np.uint8)
    pixels[..., 3] = 255 - line
    return pixels


def save_stills(folder: Path) -> tuple[Path, Path]:
    """FOLDER/in/N.kra, each with its lines on the layer Ink and others on Rough; a key frame."""
    _, (key, _) = shots.save(folder)
    stills = folder / "stills"
    stills.mkdir()
    for index in range(4):
        layers = {"Ink": ink(shots.line(index)), "Rough": ink(shots.line(index + 2))}
        (stills / f"{index}.kra").write_bytes(files.kra(layers))
    return stills, key


@pytest.mark.parametrize("place", ["daemon", "here"])
def test_lines_of_stills_are_on_the_layer_that_is_named(
    daemon: Console, tmp_path: Path, place: str
) -> None:
    stills, key = save_stills(tmp_path)
    out = tmp_path / "out"
    more = ["--no-daemon"] if place == "here" else []

    def run(layer: str) -> str:
        call = ("animate", stills, "--key", key, "-o", out, "--lines", "--review", "--json", *more)
        done = daemon(*call, "--line-layer", layer)
        assert done.code == 0, done.err
        return "".join(e["frame"] for e in done.json()[:-1] if e["state"] == "done")

    def shows(path: Path, index: int) -> bool:
        pixels = io.read_image(path.read_bytes(), path.name)
        at_lines = pixels.reshape(shots.HEIGHT, shots.WIDTH, -1)[shots.line(index) == 0]
        return not at_lines[:, :3].any()

    assert run("Ink") == "123"
    assert shows(out / "3.png", 3) and shows(out / "review" / "3.lines.png", 3)
    assert run("Ink") == ""
    assert run("Rough") == "123"
    assert shows(out / "3.png", 5) and shows(out / "review" / "3.lines.png", 5)


def test_a_layer_that_is_not_there_is_told(nuri: Console, tmp_path: Path) -> None:
    stills, key = save_stills(tmp_path)
    call = ("animate", stills, "--key", key, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--line-layer", "Lines")
    assert done.code == 1
    assert one_line(done.err) and "has no layer 'Lines' (Its layers are: 'Ink'" in done.err


@pytest.mark.parametrize("kind", ["folder", "gif"])
def test_frames_without_layers_have_none_to_name(nuri: Console, tmp_path: Path, kind: str) -> None:
    frames, keys = shots.save(tmp_path)
    if kind == "gif":
        first, *rest = [Image.fromarray(shots.line(index)) for index in range(6)]
        frames = tmp_path / "film.gif"
        first.save(frames, save_all=True, append_images=rest, duration=80)
    call = ("animate", frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--line-layer", "Ink")
    assert done.code == 2
    assert one_line(done.err) and "--line-layer needs .kra or .ora files, which " in done.err
    assert not (tmp_path / "out").exists()


def test_files_go_beside_the_layer_with_coloured_frames(daemon: Console, tmp_path: Path) -> None:
    """And before it, where both have the same frame: so one is corrected from the shell."""
    out, keys = tmp_path / "out", tmp_path / "keys"
    keys.mkdir()
    call = ("animate", KRITA_FILE, "--key-layer", "Paint", "-o", out)
    assert daemon(*call).code == 0
    for name, source in (("shot-0.png", "0000.png"), ("0002.png", "0002.png")):
        pixels = io.read_image((out / source).read_bytes(), source)
        pixels[36, 20:24] = (9, 200, 90, 255)
        (keys / name).write_bytes(io.encode_png(pixels))
    done = daemon(*call, "--key", keys, "--json")
    assert done.code == 0, done.err
    found = {entry["frame"]: entry["state"] for entry in done.json()[:-1]}
    assert found == {"0000": "key", "0002": "key", "0001": "done", "0004": "done", "0007": "key"}
    assert (out / "0000.png").read_bytes() == (keys / "shot-0.png").read_bytes()
    assert (out / "0002.png").read_bytes() == (keys / "0002.png").read_bytes()
    assert daemon(*call, "--key", keys, "--json").json()[-1]["summary"]["skipped"] == 5
