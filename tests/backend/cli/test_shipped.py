"""`nuri colorize` with the weights that ship: what a fresh installation gives."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from backend.imaging import io
from backend.weights import store
from tests.backend import figures

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)


@pytest.fixture
def call(daemon, tmp_path):
    """A face, and a coloured drawing of it that stands elsewhere."""
    line, color, _ = figures.face(256)
    _, other, _ = figures.face(256, shift=0.06, smile=0.02)
    paths = [tmp_path / name for name in ("line.png", "reference.png", "out.png")]
    for path, pixels in zip(paths, (line, other), strict=False):
        path.write_bytes(io.encode_png(pixels))

    def run(*more: object) -> tuple[np.ndarray, float, dict]:
        """The picture, the share of it that has the true colour, and what was said."""
        arguments = ["colorize", paths[0], "--reference", paths[1], "-o", paths[2], "--json"]
        done = daemon(*arguments, "--no-lines", *more)
        assert (done.code, done.err) == (0, "")
        (facts,) = done.json()
        picture = io.read_image(paths[2].read_bytes(), "out.png")
        return picture, figures.share_right(picture, color, line), facts

    return run


def installed(model: str) -> None:
    if model not in store.installed():
        pytest.skip(f"the weights of {model} are not there")


def test_colours_of_a_reference(call):
    installed("matching")
    picture, right, facts = call()
    assert right > 0.97
    assert (facts["task"], facts["coloured"]) == ("layer", facts["regions"])
    known = (figures.WHITE, figures.SKIN, figures.HAIR, figures.SHIRT, figures.EYE)
    found = {tuple(colour) for colour in picture.reshape(-1, 4).tolist()}
    assert found == {(*colour, 255) for colour in known}


@pytest.mark.parametrize("model", ["aaldc", "video"])
def test_the_networks_of_papers_paint_after_a_reference(call, model):
    installed(model)
    _, right, facts = call("--model", model)
    assert right > 0.97
    assert facts["coloured"] == facts["regions"]
    shades = call("--model", model, "--soft")[0]
    assert len(np.unique(shades.reshape(-1, shades.shape[-1]), axis=0)) > 500
