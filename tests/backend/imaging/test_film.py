"""Films as single pictures, in any order; what is no film is said to be none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.imaging import film as films
from backend.imaging.film import Film, is_film
from protocol.errors import ErrorCode, NuriError

COUNT = 5


def frames() -> list[np.ndarray]:
    pictures = [np.full((40, 60, 3), 255, np.uint8) for _ in range(COUNT)]
    for index, picture in enumerate(pictures):
        picture[8:24, 4 + 8 * index : 20 + 8 * index] = (200, 30, 40)
    return pictures


def save(path: Path) -> Path:
    if path.suffix in (".mp4", ".avi"):
        code = cv2.VideoWriter.fourcc(*("mp4v" if path.suffix == ".mp4" else "MJPG"))
        writer = cv2.VideoWriter(str(path), code, 10, (60, 40))
        for picture in frames():
            writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        writer.release()
        return path
    first, *rest = [Image.fromarray(picture) for picture in frames()]
    first.save(path, save_all=True, append_images=rest, duration=100, lossless=True)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_pictures_come_back_exactly_in_any_order(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name)
    assert is_film(path)
    with Film(path) as film:
        assert film.count == COUNT
        for index in (0, 3, 1, 4, 4, 0):
            assert np.array_equal(film.frame(index)[..., :3], frames()[index]), index


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_a_long_profile_hides_no_animation(tmp_path: Path, name: str) -> None:
    profile = np.random.default_rng(0).bytes(10_000)  # no longer when it is packed
    first, *rest = [Image.fromarray(picture) for picture in frames()]
    for count, more in ((1, {}), (COUNT, {"save_all": True, "append_images": rest})):
        first.save(tmp_path / name, icc_profile=profile, lossless=True, **more)
        assert is_film(tmp_path / name) == (count == COUNT)
    with Film(tmp_path / name) as film:
        assert film.count == COUNT


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_how_long_each_frame_is_shown(tmp_path: Path, name: str) -> None:
    times = [100, 50, 300, 40, 80]
    first, *rest = [Image.fromarray(picture) for picture in frames()]
    first.save(tmp_path / name, save_all=True, append_images=rest, duration=times, lossless=True)
    with Film(tmp_path / name) as film:
        assert [round(1000 * film.seconds(index)) for index in range(COUNT)] == times
        film.frame(2)
        assert film.seconds(1) == pytest.approx(0.05)


def test_frames_of_a_video_that_says_no_times_have_its_rate(tmp_path: Path) -> None:
    import av

    path = tmp_path / "bare.mpg"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = 40, 60
        for picture in frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with Film(path) as film:
        assert [film.seconds(index) for index in range(film.count)] == COUNT * [0.04]


def test_the_still_of_an_animated_png_is_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    still = Image.new("RGB", (60, 40), (255, 0, 255))
    pictures = [Image.fromarray(picture) for picture in frames()]
    times = [100, 50, 300, 40, 80]
    still.save(path, save_all=True, append_images=pictures, duration=times, default_image=True)
    assert is_film(path)
    with Film(path) as film:
        assert film.count == COUNT
        for index in (0, 3, 1, 4, 0):
            assert np.array_equal(film.frame(index), frames()[index]), index
        assert [round(1000 * film.seconds(index)) for index in range(COUNT)] == times


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_videos_come_back_in_any_order(tmp_path: Path, name: str) -> None:
    with Film(save(tmp_path / name)) as film:
        assert film.count == COUNT
        for index in (0, 3, 1, 4, 4, 0):
            found = film.frame(index)
            assert found.shape == (40, 60, 3)
            wanted = frames()[index]
            assert np.abs(found.astype(int) - wanted).mean() < 12, index
            assert found[16, 12 + 8 * index, 0] > found[16, 12 + 8 * index, 2] + 80  # red


def test_key_frames_of_a_krita_file_by_their_times() -> None:
    """The layer Ink has frames at 0, 1, 2, 4 and 7; Paint has two that are painted, one empty."""
    path = Path(__file__).with_name("krita_files") / "animation.kra"
    assert is_film(path)
    with Film(path) as film:
        assert list(film.times) == [0, 1, 2, 4, 7]
        for index in (4, 0, 2):
            pixels = film.frame(index)
            assert pixels.shape == (72, 96, 4)
            left = 6 + 2 * index  # the drawing moves by two pixels a frame
            assert pixels[36, left].tolist() == [0, 0, 0, 255]
            assert not pixels[:, :left].any()
    with Film(path, "Paint") as film:
        assert list(film.times) == [0, 1, 7]
        assert film.frame(0)[36, 20].tolist() == [250, 34, 12, 255]
        assert film.frame(2)[36, 70].tolist() == [7, 120, 251, 255]
        assert not film.frame(1).any()
    with Film(path, other="Ink") as film:
        assert list(film.times) == [0, 1, 7]
    with pytest.raises(NuriError, match=r"'Background' of .* has no key frames") as caught:
        Film(path, "Background")
    assert "'Ink'" in caught.value.info.action


def test_a_still_krita_file_is_no_film() -> None:
    assert not is_film(Path(__file__).with_name("krita_files") / "rgba_u8.kra")


def test_still_pictures_are_no_films(tmp_path: Path) -> None:
    for name in ("still.png", "still.webp"):
        Image.fromarray(frames()[0]).save(tmp_path / name)
        assert not is_film(tmp_path / name)
    assert not is_film(tmp_path / "missing.png")
    assert not is_film(tmp_path / "drawing.kra")


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.webp"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"this is no film at all")
    with pytest.raises(NuriError, match=name) as caught:
        Film(tmp_path / name)
    assert caught.value.code is ErrorCode.bad_input
    with pytest.raises(NuriError, match="does not exist"):
        Film(tmp_path / "missing.gif")


def test_a_film_cut_off_names_the_frame(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:-200])
    with Film(path) as film, pytest.raises(NuriError, match="damaged at frame 4"):
        film.frame(COUNT - 1)


def test_too_many_frames_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films.limits, "FRAMES", 4)
    with pytest.raises(NuriError, match="more than 4"):
        Film(save(tmp_path / "a.gif"))
