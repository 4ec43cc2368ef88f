"""`nuri animate`: key frames with a colour profile give colours as an artist sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from backend.imaging import io
from backend.imaging.profile import read_profile, to_srgb
from tests.backend import shots
from tests.backend.cli.console import Console, one_line
from tests.backend.imaging.profiles import BROKEN, WIDE

pytestmark = pytest.mark.usefixtures("matcher_shelf")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_key_frames_of_another_profile_become_srgb(
    nuri: Console, tmp_path: Path, kind: str
) -> None:
    frames, _ = shots.save(tmp_path)
    key = tmp_path / f"0.{kind.lower()}"
    quality = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    Image.fromarray(shots.finished(0)).save(key, kind, icc_profile=WIDE, **quality)
    expected = shots.finished(0)
    to_srgb(expected, read_profile(WIDE))
    out, film = tmp_path / "out", tmp_path / "shot.png"
    call = ("animate", frames, "--key", key, "-o", out, "--film", film, "--no-daemon")
    done = nuri(*call)
    assert (done.code, done.err) == (0, "")
    with Image.open(film) as whole:
        shown = [np.array(one.convert("RGB")) for one in ImageSequence.Iterator(whole)]
    for index in range(shots.FRAMES):
        picture = io.read_picture((out / f"{index}.png").read_bytes(), "out")
        assert picture.icc == b""
        for (row, column), (first_row, first) in zip(
            shots.inside(index), shots.inside(0), strict=True
        ):
            for pixels in (picture.pixels, shown[index]):
                wanted = expected[first_row, first].astype(int)
                assert np.abs(pixels[row, column, :3] - wanted).max() <= 4
    assert nuri(*call, "--json").json()[-1]["summary"]["skipped"] == 6


def test_a_key_frame_with_a_broken_profile_is_told_once(nuri: Console, tmp_path: Path) -> None:
    frames, _ = shots.save(tmp_path)
    key = tmp_path / "0.png"
    Image.fromarray(shots.finished(0)).save(key, icc_profile=BROKEN)
    done = nuri("animate", frames, "--key", key, "-o", tmp_path / "out", "--no-daemon")
    assert done.code == 0
    assert one_line(done.err)
    assert f"note: {key} has a broken colour profile" in done.err
