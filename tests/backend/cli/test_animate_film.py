"""`nuri animate --film`: frames joined to a film, or put into a copy of a .kra animation."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from backend.imaging import io
from backend.imaging.film import Film
from tests.backend import shots
from tests.backend.cli.console import Console
from tests.backend.imaging.test_profile import ADOBE_COLORANTS, icc

pytestmark = pytest.mark.usefixtures("matcher_shelf")


KRITA_FILE = Path(shots.__file__).parent / "imaging" / "krita_files" / "animation.kra"


@pytest.mark.parametrize("name", ["shot.webp", "shot.mp4"])
def test_frames_become_a_film(nuri: Console, tmp_path: Path, name: str) -> None:
    frames, keys = shots.save(tmp_path)
    path = tmp_path / name
    call = ("animate", frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", path, "--fps", "10")
    assert done.code == 0, done.err
    assert f"{name}: 6 frames" in done.out
    with Film(path) as film:
        assert film.count == 6
        assert film.seconds(0) == pytest.approx(0.1, abs=0.02)
        found = film.frame(0)[..., :3].astype(int)
        assert np.abs(found - shots.finished(0)).mean() < 4


def test_one_paint_is_one_colour_in_all_frames_of_a_film(nuri: Console, tmp_path: Path) -> None:
    """Also of a key frame in 16 bits, which the film shows as it came."""
    frames, _ = shots.save(tmp_path, frames=3)
    key, path = tmp_path / "keys" / "1.png", tmp_path / "shot.png"
    deep = shots.finished(1).astype(np.uint16) * 257
    (row, column), _ = shots.inside(1)
    deep[(deep == deep[row, column]).all(axis=2)] = (511, 65400, 33000)
    key.write_bytes(io.encode_png(deep))
    call = ("animate", frames, "--key", key, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", path)
    assert done.code == 0, done.err
    with Film(path) as film:
        seen = [film.frame(index)[shots.inside(index)[0]][:3].tolist() for index in range(3)]
    assert seen == [[2, 254, 128]] * 3


def test_a_film_with_missing_frames_is_not_written(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, blank=(3,))
    path = tmp_path / "shot.gif"
    call = ("animate", frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", path)
    assert done.code == 1
    assert "shot.gif is not written: frame 3 missing" in done.err
    assert not path.exists()


def test_a_krita_animation_becomes_a_coloured_copy(nuri: Console, tmp_path: Path) -> None:
    path, out = tmp_path / "more.kra", tmp_path / "out"
    call = ("animate", KRITA_FILE, "--key-layer", "Paint", "-o", out, "--no-daemon")
    done = nuri(*call, "--film", path)
    assert done.code == 0, done.err
    with Film(path, "Colours") as film, Film(KRITA_FILE, "Paint") as keys:
        assert list(film.times) == [0, 1, 2, 4, 7]
        first, painted = film.frame(0), keys.frame(0)
        at = painted[..., 3] == 255
        assert np.array_equal(first[at], painted[at])  # no line over it
        assert all(film.frame(index)[..., 3].any() for index in range(film.count))


def test_a_coloured_copy_keeps_its_times(nuri: Console, tmp_path: Path) -> None:
    call = ("animate", KRITA_FILE, "--key-layer", "Paint", "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", tmp_path / "more.kra", "--fps", "5")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "more.kra keeps the times of the .kra animation (leave out --fps)" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.txt", "no film that can be written"),
        ("a.kra", "needs a .kra animation"),
        ("out/3.png", "would be written over"),
        ("in/2.png", "would be written over"),
        ("in/film.webp", "would be a frame itself"),
    ],
)
def test_films_that_cannot_be_are_told_first(
    nuri: Console, tmp_path: Path, name: str, message: str
) -> None:
    frames, keys = shots.save(tmp_path)
    call = ("animate", frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", tmp_path / name)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert message in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in/2.png", "would be written over"),
        ("link.png", "would be written over"),
        ("keys/5.png", "would be written over"),
        ("in/film.png", "would be a frame itself"),
    ],
)
def test_frames_that_are_named_are_not_written_over(
    nuri: Console, tmp_path: Path, name: str, message: str
) -> None:
    folder, keys = shots.save(tmp_path)
    frames = sorted(folder.iterdir())
    (tmp_path / "link.png").symlink_to(frames[2])
    before = [path.read_bytes() for path in (*frames, *keys)]
    call = ("animate", *frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", tmp_path / name)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert message in done.err
    assert [path.read_bytes() for path in (*frames, *keys)] == before
    assert sorted(folder.iterdir()) == frames


def test_a_film_of_another_kind_may_lie_beside_the_frames(nuri: Console, tmp_path: Path) -> None:
    folder, keys = shots.save(tmp_path, frames=2)
    frames = sorted(folder.iterdir())
    call = ("animate", *frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--film", folder / "film.webp")
    assert (done.code, done.err) == (0, "")
    assert (folder / "film.webp").is_file()


def test_a_second_layer_of_colours_gets_a_name_of_its_own(nuri: Console, tmp_path: Path) -> None:
    """And both can be named to Nuri."""
    once, twice = tmp_path / "once.kra", tmp_path / "twice.kra"
    for source, path, layer in ((KRITA_FILE, once, "Colours"), (once, twice, "Colours 2")):
        call = ("animate", source, "--key-layer", "Paint", "--line-layer", "Ink", "--no-daemon")
        done = nuri(*call, "-o", path.with_suffix(""), "--film", path)
        assert done.code == 0, done.err
        assert f"{path}: 5 frames on the layer {layer!r}" in done.out
    for layer in ("Colours", "Colours 2"):
        with Film(twice, layer) as film:
            assert film.count == 5


@pytest.mark.parametrize("rate", ["23.976", "100000", "0", "many"])
def test_rates_that_no_film_can_have(nuri: Console, tmp_path: Path, rate: str) -> None:
    done = nuri("animate", tmp_path, "--key", "a.png", "-o", tmp_path / "out", "--fps", rate)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"{rate} is not a whole number from 1 to 1000" in done.err


def test_a_colour_space_that_cannot_be_written_is_told_first(nuri: Console, tmp_path: Path) -> None:
    linear, out = tmp_path / "linear.kra", tmp_path / "out"
    profile = icc(b"curv\0\0\0\0" + bytes(4), ADOBE_COLORANTS)
    with zipfile.ZipFile(KRITA_FILE) as one, zipfile.ZipFile(linear, "w") as other:
        for name in one.namelist():
            other.writestr(name, profile if name.endswith("layer3.icc") else one.read(name))
    call = ("animate", linear, "--key-layer", "Paint", "-o", out, "--no-daemon")
    done = nuri(*call, "--film", tmp_path / "more.kra")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "another colour space than sRGB" in done.err
    assert not out.exists()


def test_the_film_that_is_read_is_not_written_over(nuri: Console, tmp_path: Path) -> None:
    copy = tmp_path / "copy.kra"
    copy.write_bytes(KRITA_FILE.read_bytes())
    done = nuri("animate", copy, "--key-layer", "Paint", "-o", tmp_path / "o", "--film", copy)
    assert done.code == 2
    assert "would be written over" in done.err
    assert copy.read_bytes() == KRITA_FILE.read_bytes()


def test_a_rate_without_a_film_is_refused(nuri, tmp_path):
    done = nuri("animate", tmp_path, "--key", "a.png", "-o", tmp_path / "out", "--fps", "12")
    assert done.code == 2
    assert done.err == "nuri: --fps is for a film (name it with --film, or leave out --fps)\n"
