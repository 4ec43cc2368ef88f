"""A damaged file in the folder of styles is told where styles are listed or it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.weights import styles
from tests.backend import shots
from tests.backend.cli.console import Console, one_line

pytestmark = pytest.mark.usefixtures("matcher_shelf")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One style, and a file that is none."""
    from backend.models.architectures import build, save_model
    from tests.backend.weights.shelf import SMALL_MATCHER

    place = tmp_path / "styles"
    place.mkdir()
    monkeypatch.setenv(styles.FOLDER, str(place))
    save_model(place / "dog.safetensors", build("matching", SMALL_MATCHER))
    (place / "broken.safetensors").write_bytes(b"no weights")
    return place


def test_where_styles_are_listed_it_is_a_note(nuri: Console, folder: Path) -> None:
    for more in ([], ["--json"]):
        done = nuri("models", *more)
        assert done.code == 0 and "style/dog" in done.out and "broken" not in done.out
        assert one_line(done.err)
        assert done.err.startswith(f"nuri: note: {folder / 'broken.safetensors'} is no style: ")
        assert done.err.endswith("or take the file away)\n")


def test_another_style_is_used_without_a_word_of_it(nuri: Console, tmp_path: Path) -> None:
    frames, keys = shots.save(tmp_path, frames=3)
    call = ("animate", frames, "--key", *keys, "-o", tmp_path / "out", "--no-daemon", "--model")
    done = nuri(*call, "style/dog")
    assert (done.code, done.err) == (0, "")
    other = nuri(*call, "style/cat")
    assert other.code == 2
    assert one_line(other.err) and "there is no model 'style/cat'" in other.err
    assert "style/dog" in other.err and "broken" not in other.err


def test_who_asks_for_it_hears_why(nuri: Console, tmp_path: Path) -> None:
    done = nuri("colorize", "a.kra", "-o", "b.png", "--model", "style/broken", cwd=tmp_path)
    assert done.code == 2
    assert one_line(done.err) and "broken.safetensors is no style: " in done.err
