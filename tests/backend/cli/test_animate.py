"""`nuri animate`: through a daemon and in this process, resumed, cancelled, with bad input."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.cli.animate_made import FILE
from backend.cli.animate_plan import natural_order
from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console
from tests.backend.cli.running import Running
from tests.backend.daemon.house import PATIENCE, is_gone, paused, until
from tests.backend.disks import needs_mounts, read_only_disk

pytestmark = pytest.mark.usefixtures("matcher_shelf")


def read(path: Path) -> np.ndarray:
    return io.read_image(path.read_bytes(), str(path))


def names(folder: Path) -> list[str]:
    """The files there, in order, without the one that notes what they were made of."""
    return sorted(path.name for path in folder.iterdir() if path.name != FILE)


def is_painted(pixels: np.ndarray, index: int) -> bool:
    """Lines where they belong, and nothing but colours of the key frames beside them."""
    off_line = shots.line(index) == 255
    found = {tuple(colour) for colour in np.unique(pixels[off_line][:, :3], axis=0)}
    is_inked = pixels[shots.line(index) == 0][:, :3].max() == 0
    return is_inked and found <= {shots.RED, shots.BLUE, (255, 255, 255)}


def test_a_folder_of_frames_through_the_daemon(daemon: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    done = daemon("animate", frames, "--key", *keys, "-o", out)
    assert done.code == 0, done.err
    assert "4 frames coloured, 2 key frames" in done.out
    assert names(out) == [f"{i}.png" for i in range(6)]
    for index in range(1, 5):
        assert is_painted(read(out / f"{index}.png"), index)
    assert read(out / "0.png").tolist() == shots.finished(0).tolist()


def test_json_has_one_object_a_frame(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    files = sorted(frames.iterdir())
    done = nuri("animate", *files, "--key", *keys, "-o", tmp_path / "out", "--no-daemon", "--json")
    assert (done.code, done.err) == (0, "")
    *facts, summary = done.json()
    assert [entry["frame"] for entry in facts] == ["0", "5", "1", "2", "3", "4"]
    assert [entry["state"] for entry in facts] == ["key", "key"] + 4 * ["done"]
    assert facts[-1]["width"] == shots.WIDTH
    assert 0 <= facts[-1]["confidence"] <= 1
    counts = {"frames": 6, "coloured": 4, "keys": 2, "skipped": 0, "failed": 0, "left": 0}
    assert {name: summary["summary"][name] for name in counts} == counts


@pytest.mark.parametrize("place", ["daemon", "here"])
def test_a_frame_that_fails_is_told_once_and_the_others_go_on(
    daemon: Console, tmp_path: Path, place: str
) -> None:
    frames, keys = shots.save(tmp_path, blank=(2, 3))
    (frames / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    more = ["--no-daemon"] if place == "here" else []
    done = daemon("animate", frames, "--key", *keys, "-o", tmp_path / "out", *more)
    assert done.code == 1
    lines = [line for line in done.err.splitlines() if "note:" not in line]
    blank, damaged = lines
    assert "frames 2, 3: the line art is blank" in blank
    assert "frame 4: " in damaged and "cut short" in damaged
    assert names(tmp_path / "out") == ["0.png", "1.png", "5.png"]
    assert "3 failed" in done.out


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_films_are_shots_too(nuri: Console, tmp_path: Path, kind: str) -> None:
    film, out = tmp_path / f"film.{kind}", tmp_path / "out"
    first, *rest = [Image.fromarray(shots.line(i)).convert("RGB") for i in range(shots.FRAMES)]
    first.save(film, save_all=True, append_images=rest, duration=80, lossless=True)
    keys = [tmp_path / "key-0.png", tmp_path / "0005.png"]
    for key, index in zip(keys, (0, 5), strict=True):
        key.write_bytes(io.encode_png(shots.finished(index)))
    done = nuri("animate", film, "--key", *keys, "-o", out, "--no-daemon")
    assert done.code == 0, done.err
    assert names(out) == [f"{i:04d}.png" for i in range(6)]
    assert is_painted(read(out / "0003.png"), 3)


def test_a_krita_animation_brings_its_own_key_frames(nuri: Console, tmp_path: Path) -> None:
    film = Path(shots.__file__).parent / "imaging" / "krita_files" / "animation.kra"
    out = tmp_path / "out"
    done = nuri("animate", film, "--key-layer", "Paint", "-o", out, "--no-daemon", "--json")
    assert done.code == 0, done.err
    times = ["0000", "0001", "0002", "0004", "0007"]
    assert [entry["frame"] for entry in done.json()[:-1]] == times
    assert [entry["state"] for entry in done.json()[:-1]] == ["key", "done", "done", "done", "key"]
    assert [entry["time"] for entry in done.json()[1:4]] == [1, 2, 4]
    first = read(out / "0000.png")
    assert first[36, 20].tolist() == [250, 34, 12, 255]
    assert first[36, 6].tolist() == [0, 0, 0, 255]  # with its lines
    for number, name in enumerate(["0001", "0002", "0004"], 1):
        picture = read(out / f"{name}.png")
        assert picture[36, 6 + 2 * number].tolist() == [0, 0, 0, 255]
        assert tuple(picture[36, 20][:3]) in {(250, 34, 12), (7, 120, 251), (0, 0, 0)}
    again = nuri("animate", film, "--key-layer", "Paint", "-o", out, "--no-daemon", "--json")
    assert again.json()[-1]["summary"]["skipped"] == 5
    # Coloured frames may be files as well, named by their times.
    key = tmp_path / "shot-7.png"
    key.write_bytes((out / "0007.png").read_bytes())
    other = nuri("animate", film, "--key", key, "-o", tmp_path / "other", "--no-daemon", "--json")
    assert other.json()[-1]["summary"]["coloured"] == 4
    wrong = nuri("animate", film, "--key-layer", "Background", "-o", out, "--no-daemon")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    assert "has no key frames" in wrong.err
    same = ("--key-layer", "Paint", "--line-layer", "paint")
    wrong = nuri("animate", film, *same, "-o", tmp_path / "same", "--no-daemon")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    assert "are the same layer, 'paint'" in wrong.err


def test_bad_input_is_one_line(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    stranger = tmp_path / "keys" / "77.png"
    stranger.write_bytes(keys[0].read_bytes())
    narrow = tmp_path / "narrow" / "0.png"
    narrow.parent.mkdir()
    narrow.write_bytes(io.encode_png(shots.finished(0)[:, :90]))
    blank = tmp_path / "blank" / "0.png"
    blank.parent.mkdir()
    (tmp_path / "empty").mkdir()
    twins = [frames / "1.png", tmp_path / "narrow" / "1.png"]
    twins[1].write_bytes(twins[0].read_bytes())
    pages = tmp_path / "pages"
    pages.mkdir()
    Image.fromarray(shots.line(0)).save(pages / "0.webp")
    cases = [
        ([frames, "-o", out], 2, "--key"),
        ([pages, "--key", keys[0], "-o", pages], 2, "the results would lie among the frames"),
        ([frames, "--key", tmp_path / "empty", "-o", out], 1, "holds no key frames"),
        ([frames, "--key", stranger, "-o", out], 1, "77.png has no frame of its name"),
        ([frames, "--key", narrow, "-o", out], 1, "0.png is 90 x 64 pixels, but its lines are 96"),
        ([frames, "--key", *keys, "-o", frames], 2, "would be written over"),
        ([tmp_path / "empty", "--key", *keys, "-o", out], 1, "holds no frames"),
        ([tmp_path / "missing", "--key", *keys, "-o", out], 1, "does not exist"),
        ([frames, "--key", tmp_path / "0.png", "-o", out], 1, "does not exist"),
        ([frames, "--key", keys[0], keys[0], "-o", out], 1, "key frames of the same frame"),
        ([*twins, "--key", keys[0], "-o", out], 1, "two frames have the name 1: /"),
        ([frames, "--key", *keys, "-o", ""], 2, "the name is empty"),
    ]
    for arguments, code, message in cases:
        done = nuri("animate", *arguments, "--no-daemon")
        assert (done.code, done.err.count("\n")) == (code, 1), done.err
        assert message in done.err
        assert "run the command again" not in done.out


def test_a_folder_of_key_frames(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    call = ("animate", frames, "-o", tmp_path / "out", "--no-daemon", "--key")
    assert "4 frames coloured, 2 key frames" in nuri(*call, keys[0].parent).out
    assert "6 done before" in nuri(*call, *keys).out


def test_key_frames_of_no_use_are_told_once(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, blank=(5,))
    keys[0].write_bytes(io.encode_png(shots.line(0)))
    good = tmp_path / "keys" / "3.png"
    good.write_bytes(io.encode_png(shots.finished(3)))
    call = ("animate", frames, "--key", *keys, good, "-o", tmp_path / "out", "--no-daemon")
    done = nuri(*call, "--json")
    assert done.code == 0
    first, second = (line for line in done.err.splitlines() if "doubtful" not in line)
    assert first.startswith(f"nuri: note: {keys[0]}: it has no colour") and "(colour it" in first
    assert second.startswith(f"nuri: note: {keys[1]}: its line frame is blank")
    assert done.json()[-1]["summary"]["coloured"] == 3
    assert nuri(*call).err == ""


@pytest.mark.parametrize("place", ["daemon", "here"])
def test_without_any_key_frame_of_use_nothing_is_coloured(
    daemon: Console, tmp_path: Path, place: str
) -> None:
    frames, keys = shots.save(tmp_path, blank=(1, 5))
    for index, key in zip((0, 5), keys, strict=True):
        key.write_bytes(io.encode_png(shots.line(index)))
    more = ["--no-daemon"] if place == "here" else []
    call = ("animate", frames, "-o", tmp_path / "out", *more, "--key")
    done = daemon(*call, keys[0])
    assert done.code == 1
    blank, bare = done.err.splitlines()
    assert blank.startswith("nuri: frame 1: the line art is blank")
    assert bare.startswith(f"nuri: frames 2, 3, 4, 5: {keys[0]}: it has no colour beside its lines")
    assert bare.endswith(
        "none to give (Colour one or two frames with lines, better the first and the last)"
    )
    assert names(tmp_path / "out") == ["0.png"]
    assert "0 frames coloured, 1 key frame, 5 failed" in done.out
    # Of several the first is the reason, the others are told beside it.
    done = daemon(*call, *keys, "--json")
    assert done.code == 1
    assert f"note: {keys[1]}: its line frame is blank" in done.err
    assert done.json()[-1]["summary"]["failed"] == 4


@needs_mounts
def test_a_read_only_folder(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    with read_only_disk(tmp_path / "read-only") as folder:
        done = nuri("animate", frames, "--key", *keys, "-o", folder / "out", "--no-daemon")
    assert done.code == 1
    assert "read-only" in done.err


def test_the_output_may_not_be_a_file(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path)
    done = nuri("animate", frames, "--key", *keys, "-o", keys[0], "--no-daemon")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "cannot be written" in done.err


def test_ctrl_c_keeps_what_is_done_and_the_next_call_goes_on(
    daemon: Console, running: Running, tmp_path: Path
) -> None:
    frames, keys = shots.save(tmp_path, frames=24)
    out = tmp_path / "out"
    process = daemon.start("animate", frames, "--key", *keys, "-o", out)
    until(lambda: len(list(out.glob("*.png"))) > 4, "the fifth frame")
    with paused(running.worker):
        process.send_signal(signal.SIGINT)
        running.wait_for_cancel()
    words, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert "left (run the command again to go on)" in words
    assert "cancelled" in complaint
    written = names(out)
    assert 4 < len(written) < 24
    done = daemon("animate", frames, "--key", *keys, "-o", out, "--json")
    summary = done.json()[-1]["summary"]
    assert summary["skipped"] == len(written)
    assert len(list(out.glob("*.png"))) == 24


@pytest.mark.parametrize("victim", ["worker", "daemon"])
def test_a_killed_process_costs_no_frame(
    daemon: Console, running: Running, tmp_path: Path, victim: str
) -> None:
    frames, keys = shots.save(tmp_path, frames=16)
    out = tmp_path / "out"
    process = daemon.start("animate", frames, "--key", *keys, "-o", out)
    until(lambda: len(list(out.glob("*.png"))) > 4, "the fifth frame")
    with paused(running.worker):
        assert running.computes()
        os.kill(running.worker if victim == "worker" else running.pid, signal.SIGKILL)
    words, complaint = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, complaint
    assert "14 frames coloured" in words
    assert len(list(out.glob("*.png"))) == 16
    assert is_gone(running.pid) == (victim == "daemon")
    until(lambda: is_gone(running.worker), "the end of its first worker")


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["a10.png", "a2.png", "A1.png", "a2b3.png", "a2b11.png", "b.png", "3.png"]
    paths = sorted(map(Path, names), key=natural_order)
    assert [path.name for path in paths] == [
        "3.png", "A1.png", "a2.png", "a2b3.png", "a2b11.png", "a10.png", "b.png",
    ]  # fmt: skip
