"""`nuri animate` run again: exactly what was made of something else is made anew."""

from __future__ import annotations

import json
import os
import signal
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from backend.cli.animate_made import FILE, Made
from backend.cli.animate_plan import make_plan
from backend.imaging import io
from tests.backend import shots
from tests.backend.cli.console import Console
from tests.backend.cli.running import Running
from tests.backend.cli.test_animate_cuts import save as save_two_shots
from tests.backend.daemon.house import PATIENCE, paused, until

pytestmark = pytest.mark.usefixtures("matcher_shelf")


HOUR = 3600 * 10**9
KRITA_FILE = Path(shots.__file__).parent / "imaging" / "krita_files" / "animation.kra"


class Shoot:
    """A shot of 6 frames with key frames for the first and the last, coloured once."""

    def __init__(self, nuri: Console, folder: Path) -> None:
        self.nuri, self.out = nuri, folder / "out"
        self.frames, self.keys = shots.save(folder)
        middle = folder / "keys" / "3.png"
        middle.write_bytes(io.encode_png(shots.finished(3)))
        self.middle = middle
        for path in (*self.frames.iterdir(), *self.keys, middle):
            age(path)

    def __call__(self, *more: object, keys: list[Path] | None = None) -> dict[str, str]:
        """What became of each frame."""
        call = ("animate", self.frames, "--key", *(keys or self.keys), "-o", self.out)
        done = self.nuri(*call, "--json", *more)
        assert done.code == 0, done.err
        return {entry["frame"]: entry["state"] for entry in done.json()[:-1]}

    def picture(self, index: int) -> np.ndarray:
        path = self.out / f"{index}.png"
        return io.read_image(path.read_bytes(), path.name)


@pytest.fixture
def shoot(daemon: Console, tmp_path: Path) -> Shoot:
    shoot = Shoot(daemon, tmp_path)
    assert set(shoot().values()) == {"key", "done"}
    return shoot


def age(path: Path) -> None:
    """As if it had been there for an hour."""
    before = time.time_ns() - HOUR
    os.utime(path, ns=(before, before))


def states(done: str = "", key: str = "") -> dict[str, str]:
    """Those frames; the others skipped."""
    found = dict.fromkeys("012345", "skipped")
    return found | dict.fromkeys(done, "done") | dict.fromkeys(key, "key")


def test_what_is_done_is_left_alone(shoot: Shoot) -> None:
    before = (shoot.out / FILE).stat().st_mtime_ns
    assert shoot() == states()
    assert (shoot.out / FILE).stat().st_mtime_ns == before
    assert set(shoot("--force").values()) == {"key", "done"}


def test_lines_that_were_only_touched_are_the_same(shoot: Shoot) -> None:
    for path in (shoot.frames / "3.png", shoot.keys[0]):
        path.touch()
    assert shoot() == states()


def test_other_lines_colour_their_frame_again(shoot: Shoot) -> None:
    path = shoot.frames / "3.png"
    path.write_bytes(io.encode_png(shots.line(2)))
    age(path)
    assert shoot() == states(done="3")
    assert (shoot.picture(3)[shots.line(2) == 0][:, :3] == 0).all()
    # The lines of a key frame say where its colours are.
    (shoot.frames / "0.png").write_bytes(io.encode_png(shots.line(0) // 2 * 2))
    assert shoot() == states(done="1234")


def test_a_key_frame_more_or_less_or_repainted(shoot: Shoot) -> None:
    three = [*shoot.keys, shoot.middle]
    assert shoot(keys=three) == states(done="124", key="3")
    assert (shoot.out / "3.png").read_bytes() == shoot.middle.read_bytes()
    assert shoot(keys=three) == states()
    shoot.middle.write_bytes(io.encode_png(255 - shots.finished(3)))
    age(shoot.middle)
    assert shoot(keys=three) == states(done="124", key="3")
    assert shoot() == states(done="1234")
    assert (shoot.picture(3)[shots.line(3) == 0][:, :3] == 0).all()
    assert shoot(keys=shoot.keys[:1]) == states(done="12345")


@pytest.mark.parametrize("option", ["--soft", "--no-lines"])
def test_another_option_colours_all_again(shoot: Shoot, option: str) -> None:
    assert shoot(option) == states(done="1234")
    assert shoot(option) == states()
    assert shoot() == states(done="1234")


def test_what_changes_no_pixel_colours_nothing(shoot: Shoot, tmp_path: Path) -> None:
    film = tmp_path / "shot.gif"
    assert shoot("--model", "matching", "--review", "--film", film, "--fps", "8") == states()
    assert shoot("--cuts") == states()


def test_another_network_colours_all_again(shoot: Shoot, matcher_shelf: Path) -> None:
    from tests.backend.weights.shelf import SMALL_MATCHER, put

    put(matcher_shelf, "matching", SMALL_MATCHER, seed=1)
    assert shoot() == states(done="1234")
    assert shoot() == states()


def test_an_output_that_is_gone_is_made_again(shoot: Shoot) -> None:
    for name in ("0", "2"):
        (shoot.out / f"{name}.png").unlink()
    assert shoot() == states(done="2", key="0")


def test_without_recipes_times_tell(shoot: Shoot) -> None:
    (shoot.out / FILE).unlink()
    later = time.time_ns() + HOUR
    os.utime(shoot.frames / "3.png", ns=(later, later))
    assert shoot() == states(done="3")
    assert shoot("--soft") == states(done="1234")  # by now all is noted


@pytest.mark.parametrize("content", ["", "[]", '{"recipes": 3}', '{"recipes": {}, "pictures": []}'])
def test_a_file_of_no_use_is_none(tmp_path: Path, content: str) -> None:
    frames, keys = shots.save(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / FILE).write_text(content)
    plan = make_plan([frames], keys, out)
    for frame in plan.frames:
        frame.output.touch()
    age(frames / "1.png")
    age(out / "2.png")
    options = Namespace(model=None, soft=False, lines=None, force=False)
    made = Made(out, options)
    assert made.is_done(plan.frames[1], plan)
    assert not made.is_done(plan.frames[2], plan)
    made.close()
    again = Made(out, options)
    age(out / "1.png")
    assert again.is_done(plan.frames[1], plan)
    assert not again.is_done(plan.frames[2], plan)


def test_the_other_shot_is_left_alone(daemon: Console, tmp_path: Path) -> None:
    frames, first, second = save_two_shots(tmp_path)
    more = tmp_path / "keys" / "3.png"
    more.write_bytes(io.encode_png(shots.finished(3)))
    for path in (*frames.iterdir(), first, second, more):
        age(path)
    call = ("animate", frames, "-o", tmp_path / "out", "--cuts", "--json", "--key")
    assert daemon(*call, first, second).code == 0
    found = {e["frame"]: e["state"] for e in daemon(*call, first, second, more).json()[:-1]}
    assert found == dict.fromkeys("05678", "skipped") | dict.fromkeys("124", "done") | {"3": "key"}


def test_a_film_saved_again_colours_the_frames_that_changed(
    daemon: Console, tmp_path: Path
) -> None:
    from PIL import Image

    film, out = tmp_path / "film.png", tmp_path / "out"
    _, keys = shots.save(tmp_path)

    def run(*indices: int) -> str:
        first, *rest = [Image.fromarray(shots.line(index)).convert("RGB") for index in indices]
        first.save(film, save_all=True, append_images=rest, duration=80)
        done = daemon("animate", film, "--key", *keys, "-o", out, "--json")
        assert done.code == 0, done.err
        return "".join(e["frame"][-1] for e in done.json()[:-1] if e["state"] != "skipped")

    assert run(0, 1, 2, 3, 4, 5) == "051234"
    assert run(0, 1, 2, 3, 4, 5) == ""
    assert run(0, 1, 6, 3, 4, 5) == "2"


def test_a_coloured_layer_is_compared_by_its_pixels(daemon: Console, tmp_path: Path) -> None:
    film = tmp_path / "film.kra"
    film.write_bytes(KRITA_FILE.read_bytes())
    call = ("animate", film, "--key-layer", "Paint", "-o", tmp_path / "out")
    assert daemon(*call).code == 0
    film.touch()
    assert daemon(*call, "--json").json()[-1]["summary"]["skipped"] == 5


def test_what_a_killed_run_leaves_is_not_taken_for_another(daemon: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, frames=16)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out)
    process = daemon.start(*call, "--no-lines")
    until(lambda: len(list(out.glob("*.png"))) >= 6, "the sixth frame")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    done = daemon(*call, "--json").json()
    assert done[-1]["summary"]["coloured"] == 14
    assert json.loads((out / FILE).read_bytes())["recipes"].keys() == {str(i) for i in range(16)}


def test_cancelled_before_it_is_made_again_keeps_what_is_there(
    daemon: Console, running: Running, tmp_path: Path
) -> None:
    frames, keys = shots.save(tmp_path, frames=16)
    out = tmp_path / "out"
    call = ("animate", frames, "--key", *keys, "-o", out)
    assert daemon(*call).code == 0
    first = (out / "1.png").stat().st_mtime_ns
    process = daemon.start(*call, "--no-lines")
    until(lambda: (out / "1.png").stat().st_mtime_ns != first, "the first frame made again")
    with paused(running.worker):
        process.send_signal(signal.SIGINT)
        running.wait_for_cancel()
    process.communicate(timeout=PATIENCE)
    again = daemon(*call, "--json").json()
    assert 0 < again[-1]["summary"]["coloured"] < 14
