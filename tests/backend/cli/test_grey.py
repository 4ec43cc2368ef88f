"""`nuri grey`, in this process and through a daemon."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from backend.imaging import io
from backend.weights import store
from tests.backend.tasks.test_lines import painting

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)

from tests.backend.weights.shelf import put


@pytest.fixture(scope="module", autouse=True)
def shelf(tmp_path_factory):
    """The calls and the daemon that they start take their weights from here."""
    folder = tmp_path_factory.mktemp("weights")
    put(folder, "smsanet", {"width": 4, "attention_where": (4, 7)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.OVERRIDE, str(folder))
        yield folder


def saved(folder):
    path = folder / "grey.png"
    path.write_bytes(io.encode_png(painting(100)[..., 1]))
    return path


def test_a_grey_painting_gets_colour(nuri, tmp_path):
    out = tmp_path / "out.png"
    done = nuri("grey", saved(tmp_path), "-o", out, "--no-daemon")
    assert (done.code, done.err) == (0, "")
    assert "out.png: 100 x 100, " in done.out
    coloured = io.read_image(out.read_bytes(), "out.png")
    assert coloured.shape == (100, 100, 3)
    assert np.ptp(coloured.astype(int), axis=2).max() > 5


def test_a_daemon_gives_the_same(daemon, tmp_path):
    here, there = tmp_path / "here.png", tmp_path / "there.png"
    picture = saved(tmp_path)
    assert daemon("grey", picture, "-o", here, "--no-daemon", "-q").code == 0
    done = daemon("grey", picture, "-o", there, "--model", "smsanet", "--json")
    (facts,) = done.json()
    assert (facts["task"], facts["width"], facts["output"]) == ("greyscale", 100, str(there))
    assert here.read_bytes() == there.read_bytes()


def test_a_model_without_weights_is_named(nuri, tmp_path, shelf):
    out = tmp_path / "out.png"
    done = nuri("grey", saved(tmp_path), "-o", out, "--model", "ibn_gan", "--no-daemon", "--json")
    assert done.code == 1
    assert "ibn_gan" in done.err
    assert str(shelf) in done.err
    assert "smsanet" in done.err  # what there is instead
    assert not out.exists()


def test_an_unknown_model_is_wrong_usage(nuri, tmp_path):
    done = nuri("grey", saved(tmp_path), "-o", tmp_path / "out.png", "--model", "sepia")
    assert done.code == 2
    assert "sepia" in done.err


def test_models_says_what_is_installed(nuri):
    (listed,) = nuri("models", "--json").json()
    there = {model["id"]: model["installed"] for model in listed["models"]}
    assert there["smsanet"] and not there["ibn_gan"] and there["flats"]
    assert "ibn_gan" in nuri("models").out
    assert "weights are not installed" in nuri("models").out
