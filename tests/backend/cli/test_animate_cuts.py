"""`nuri animate --cuts`: each shot has its own key frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.cli.animate_made import FILE
from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console

pytestmark = pytest.mark.usefixtures("matcher_shelf")


GREEN = (20, 160, 60)


def ring(index: int) -> np.ndarray:
    """(H, W) another drawing than that of `shots`."""
    pixels = np.full((shots.HEIGHT, shots.WIDTH), 255, np.uint8)
    cv2.circle(pixels, (70 - 3 * index, 30), 20, 0, 2)
    return pixels


def finished_ring(index: int) -> np.ndarray:
    pixels = np.repeat(ring(index)[..., None], 3, axis=2)
    _, _, _, seed = cv2.floodFill(pixels, None, (70 - 3 * index, 30), GREEN)
    assert seed[2] > 0
    return pixels


def save(folder: Path) -> tuple[Path, Path, Path]:
    """A film of 5 frames of boxes and 4 of a ring; a key frame of each, 0.png and 8.png."""
    frames, keys = shots.save(folder, frames=5)
    for index in range(4):
        (frames / f"{5 + index}.png").write_bytes(io.encode_png(ring(index)))
    other = folder / "keys" / "8.png"
    other.write_bytes(io.encode_png(finished_ring(3)))
    return frames, keys[0], other


def colours(path: Path) -> set[tuple[int, ...]]:
    pixels = io.read_image(path.read_bytes(), path.name)[..., :3]
    return {tuple(pixel) for pixel in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}


@pytest.mark.parametrize("place", ["daemon", "here"])
def test_key_frames_serve_their_own_shot(daemon: Console, tmp_path: Path, place: str) -> None:
    frames, first, second = save(tmp_path)
    out = tmp_path / "out"
    more = ["--no-daemon"] if place == "here" else []
    done = daemon("animate", frames, "--key", first, second, "-o", out, "--cuts", *more)
    assert done.code == 0, done.err
    assert "2 shots: 0 to 4, 5 to 8" in done.out
    assert "7 frames coloured, 2 key frames" in done.out
    for index in range(1, 5):
        assert GREEN not in colours(out / f"{index}.png")
    for index in range(5, 8):
        found = colours(out / f"{index}.png")
        assert GREEN in found and not found & {shots.RED, shots.BLUE}


def test_a_shot_without_a_key_is_named_and_left(nuri: Console, tmp_path: Path) -> None:
    frames, first, second = save(tmp_path)
    out = tmp_path / "out"
    call = ("animate", frames, "-o", out, "--cuts", "--no-daemon", "--key")
    done = nuri(*call, first)
    assert done.code == 0
    assert "no key frame in the shot 5 to 8; left uncoloured" in done.err
    assert "4 in shots without a key frame" in done.out
    assert sorted(path.name for path in out.glob("*.png")) == [f"{i}.png" for i in range(5)]
    facts = nuri(*call, first, "--json").json()
    assert [entry["frame"] for entry in facts[:-1] if entry["state"] == "no_key"] == list("5678")
    assert {n: facts[-1]["summary"][n] for n in ("skipped", "keyless", "left")} == {
        "skipped": 5,
        "keyless": 4,
        "left": 0,
    }
    film = tmp_path / "shot.gif"
    whole = nuri(*call, first, "--film", film)
    assert (whole.code, film.exists()) == (1, False)
    assert "shot.gif is not written" in whole.err
    # A key frame for the second shot leaves the first one as it is.
    summary = nuri(*call, first, second, "--json").json()[-1]["summary"]
    assert (summary["coloured"], summary["keys"], summary["skipped"]) == (3, 1, 5)


def test_a_shot_with_colourless_keys_alone_fails_and_the_other_goes_on(
    daemon: Console, tmp_path: Path
) -> None:
    frames, first, second = save(tmp_path)
    first.write_bytes((frames / "0.png").read_bytes())
    out = tmp_path / "out"
    done = daemon("animate", frames, "--key", first, second, "-o", out, "--cuts")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert f"frames 1, 2, 3, 4: {first}: it has no colour beside its lines" in done.err
    assert "3 frames coloured, 2 key frames, 4 failed" in done.out
    assert sorted(path.name for path in out.glob("*.png")) == [f"{i}.png" for i in (0, 5, 6, 7, 8)]


def test_pictures_of_a_shot_whose_key_is_gone_are_told(daemon: Console, tmp_path: Path) -> None:
    frames, first, second = save(tmp_path)
    out, film = tmp_path / "out", tmp_path / "shot.gif"
    call = ("animate", frames, "-o", out, "--cuts", "--key")
    assert daemon(*call, first, second, "--film", film).code == 0
    film.unlink()
    done = daemon(*call, first, "--review", "--film", film)
    assert (done.code, film.exists()) == (1, False)
    assert done.err.count("\n") == 3
    assert "frames 5, 6, 7, 8: the pictures of an earlier run are still there, but not" in done.err
    assert "shot.gif is not written: frames 5, 6, 7, 8 missing" in done.err
    assert (out / "review.html").read_text().count("whose key frames are gone") == 4
    facts = daemon(*call, first, "--json").json()[:-1]
    assert [one["stale"] for one in facts if one["state"] == "no_key"] == [True] * 4
    # What they were made of is still known when it comes back.
    done = daemon(*call, first, second, "--review", "--film", film, "--json")
    assert (done.code, done.json()[-1]["summary"]["skipped"]) == (0, 9)
    assert "whose key frames are gone" not in (out / "review.html").read_text()
    # Pictures that are not of an earlier run are what their maker wants there.
    (out / FILE).unlink()
    assert daemon(*call, first, "--film", film).err.count("\n") == 1


def test_frames_that_cannot_be_read_are_no_cut(nuri: Console, tmp_path: Path) -> None:
    frames, first, second = save(tmp_path)
    (frames / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    (frames / "3.png").write_bytes(io.encode_png(np.full_like(shots.line(0), 255)))
    call = ("animate", frames, "--key", first, second, "-o", tmp_path / "out", "--cuts")
    done = nuri(*call, "--no-daemon")
    assert done.code == 1
    assert "2 shots: 0 to 4, 5 to 8" in done.out
    assert "frame 2: " in done.err and "frame 3: the line art is blank" in done.err


def test_an_animated_picture_is_cut_too(nuri: Console, tmp_path: Path) -> None:
    from PIL import Image

    film = tmp_path / "film.gif"
    pictures = [shots.line(i) for i in range(5)] + [ring(i) for i in range(4)]
    first, *rest = [Image.fromarray(pixels) for pixels in pictures]
    first.save(film, save_all=True, append_images=rest, duration=80)
    _, key, other = save(tmp_path)
    call = ("animate", film, "--key", key, other, "-o", tmp_path / "out", "--cuts", "--no-daemon")
    done = nuri(*call)
    assert done.code == 0, done.err
    assert "2 shots: 0000 to 0004, 0005 to 0008" in done.out
