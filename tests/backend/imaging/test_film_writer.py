"""Films written and read again; a .kra copy with one more layer."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from backend.imaging import io
from backend.imaging.film import Film
from backend.imaging.film_writer import PICTURES, VIDEOS, write_film
from backend.imaging.kra_writer import add_frames, check_layer
from protocol.errors import ErrorCode, NuriError

KRITA_FILES = Path(__file__).parent / "krita_files"
SECONDS = [0.1, 0.3, 0.1, 0.2]


def frames(side: int = 48) -> list[np.ndarray]:
    pictures = [np.full((side, side + 16, 3), 255, np.uint8) for _ in SECONDS]
    for index, picture in enumerate(pictures):
        picture[8:24, 8 * index : 8 * index + 16] = (200, 30, 40)
    return pictures


@pytest.mark.parametrize("ending", sorted(PICTURES))
def test_pictures_that_move_come_back_exactly_with_their_times(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film{ending}"
    write_film(path, frames(), SECONDS)
    with Film(path) as film:
        assert film.count == len(SECONDS)
        for index, frame in enumerate(frames()):
            assert np.array_equal(film.frame(index)[..., :3], frame)
            assert film.seconds(index) == pytest.approx(SECONDS[index])
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", sorted(VIDEOS))
def test_videos_show_each_frame_for_its_time(tmp_path: Path, ending: str) -> None:
    import av

    path = tmp_path / f"film{ending}"
    write_film(path, iter(frames(47)), SECONDS)
    with av.open(str(path)) as container:
        shown = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode()]
    starts = np.concatenate([[0], np.cumsum(SECONDS)])
    for index, frame in enumerate(frames(47)):
        _, picture = min(shown, key=lambda one: abs(one[0] - starts[index]))
        assert min(abs(time - starts[index]) for time, _ in shown) < 0.005
        assert picture.shape == (48, 64, 3)  # a row more, for sides have to be even
        assert np.abs(picture[:47, :63].astype(int) - frame).mean() < 4


@pytest.mark.parametrize("ending", sorted(VIDEOS))
@pytest.mark.parametrize("seconds", [8 * [1 / 12], 7 * [0.1] + [1.5], 7 * [0.5] + [0.04], [0.7]])
def test_videos_have_as_many_frames_as_written_and_hold_the_last(
    tmp_path: Path, ending: str, seconds: list[float]
) -> None:
    import av

    path = tmp_path / f"film{ending}"
    moving = (np.roll(frames()[0], 6 * index, axis=1) for index in range(len(seconds)))
    write_film(path, moving, seconds)
    with Film(path) as film:
        assert film.count == len(seconds)
    with av.open(str(path)) as container:
        packets = [one for one in container.demux(video=0) if one.pts is not None]
        last = max(packets, key=lambda one: one.pts)
        assert len(packets) == len(seconds)
        assert last.duration * last.time_base == pytest.approx(seconds[-1], abs=0.002)
        assert container.duration / av.time_base == pytest.approx(sum(seconds), abs=0.002)


@pytest.mark.parametrize("ending", sorted(VIDEOS))
def test_times_of_videos_are_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film{ending}"
    seconds = [0.1, 0.5, 0.1, 1.2]
    write_film(path, frames(), seconds)
    with Film(path) as film:
        film.frame(3)
        assert [film.seconds(i) for i in range(4)] == pytest.approx(seconds, abs=0.002)


def test_what_is_transparent_stays_so_or_becomes_white(tmp_path: Path) -> None:
    clear = [np.dstack([frame, (frame[..., 1] < 99) * np.uint8(255)]) for frame in frames()]
    write_film(tmp_path / "a.png", clear, SECONDS)
    with Film(tmp_path / "a.png") as film:
        assert np.array_equal(film.frame(2)[..., 3], clear[2][..., 3])
    write_film(tmp_path / "a.mp4", clear, SECONDS)
    with Film(tmp_path / "a.mp4") as film:
        assert film.frame(0)[40, 40].min() > 245


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"before")
    for ending in (".mp4", ".gif"):
        with pytest.raises(NuriError) as error:
            write_film(path.with_suffix(ending), [*frames(), frames(32)[0]], [*SECONDS, 0.1])
        assert error.value.code is ErrorCode.bad_input
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("film.mp4", b"before")]


def test_a_krita_file_gets_a_layer_with_key_frames(tmp_path: Path) -> None:
    source, path = KRITA_FILES / "animation.kra", tmp_path / "more.kra"
    rng = np.random.default_rng(2)
    wanted = {0: np.zeros((72, 96, 4), np.uint8), 3: np.zeros((72, 96, 4), np.uint8)}
    wanted[3][10:70, 20:90] = rng.integers(1, 256, (60, 70, 4))
    add_frames(source, path, "Ink", "Colours", wanted.items())
    with Film(path, "Colours") as film, Film(source, "Ink") as old, Film(path, "Ink") as kept:
        assert list(film.times) == [0, 3]
        for index, pixels in enumerate(wanted.values()):
            assert np.array_equal(film.frame(index), pixels)
        assert film.seconds(0) == pytest.approx(3 / 24)
        assert film.seconds(1) == pytest.approx(45 / 24)  # to the end of the clip
        assert all(np.array_equal(old.frame(i), kept.frame(i)) for i in range(old.count))
    file = io.open_layered(path.read_bytes(), str(path))
    assert [layer.name for layer in file.tree.choices] == ["Paint", "Ink", "Colours", "Background"]
    with zipfile.ZipFile(source) as one, zipfile.ZipFile(path) as other:
        assert other.namelist()[0] == "mimetype"
        same = [name for name in one.namelist() if name != "maindoc.xml"]
        assert all(one.read(name) == other.read(name) for name in same)


@pytest.mark.parametrize("name", ["rgba_u16", "graya_u8"])
def test_other_colour_spaces_are_refused(tmp_path: Path, name: str) -> None:
    source = KRITA_FILES / f"{name}.kra"
    layer = io.open_layered(source.read_bytes(), name).tree.choices[0].path
    for refuse in (
        lambda: check_layer(source, layer),
        lambda: add_frames(source, tmp_path / "more.kra", layer, "Colours", []),
    ):
        with pytest.raises(NuriError) as error:
            refuse()
        assert error.value.code is ErrorCode.unsupported
    assert not any(tmp_path.iterdir())


def test_the_layer_is_found_as_for_reading(tmp_path: Path) -> None:
    source = KRITA_FILES / "animation.kra"
    add_frames(source, tmp_path / "more.kra", "ink", "Colours", [])
    with pytest.raises(NuriError, match="has no layer 'Other'"):
        check_layer(source, "Other")
