from __future__ import annotations

import inspect
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from backend.models import architectures
from backend.models.architectures import (
    build,
    import_state,
    load_model,
    name_of,
    read_header,
    released,
    require_same,
    save_model,
)

SMALL = {
    "aaldc": {"width": 4, "blocks": 1},
    "line_extractor": {"width": 4},
    "ibn_gan": {"width": 4, "depth": 4},
    "video": {"width": 8, "blocks": 1},
    "video_refinement": {"width": 4},
    "video_scft": {"width": 4, "blocks": 1},
    "smsanet": {"width": 4, "attention_where": (4, 7)},
    "manga": {"width": 4, "extractor_width": 8},
    "alacgan": {"width": 8, "extractor_width": 8},
    "matching": {"width": 4, "dim": 16, "heads": 2, "layers": 1},
    "borders": {"width": 4},
    "choosing": {"dim": 16, "width": 8, "heads": 2, "layers": 1, "colors": 5},
}


def test_every_network_has_a_small_one_here():
    assert set(SMALL) == set(architectures.names())


@pytest.mark.parametrize("name", SMALL)
def test_every_network_comes_back_from_its_file(name, tmp_path):
    model = build(name, SMALL[name])
    assert name_of(model) == name
    path = tmp_path / "model.safetensors"
    save_model(path, model, {"steps": 3})
    header = read_header(path)
    assert header.name == name and header.extra == {"steps": 3}
    again = load_model(path, expected=(name, SMALL[name]))
    assert not again.training
    theirs = again.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in model.state_dict().items())
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("name", SMALL)
def test_options_are_the_constructor_s(name):
    cls = architectures.architecture(name)
    model = build(name, SMALL[name])
    assert set(model.options) == set(inspect.signature(cls).parameters)


def test_unknown_names_and_options_get_a_suggestion():
    with pytest.raises(ValueError, match="did you mean 'smsanet'"):
        build("smsnet", {})
    with pytest.raises(ValueError, match="did you mean 'spectral'"):
        build("ibn_gan", {"spectrl": True})
    with pytest.raises(ValueError, match="norm"):
        build("ibn_gan", {"norm": "bach"})


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, build("ibn_gan", {"width": 4, "depth": 4}))
    with pytest.raises(ValueError, match="depth: 4 against 5; spectral: true against false"):
        load_model(path, expected=("ibn_gan", {"width": 4, "depth": 5, "spectral": False}))
    with pytest.raises(ValueError, match="'ibn_gan', not 'smsanet'"):
        load_model(path, expected=("smsanet", {}))


def test_defaults_and_tuples_make_no_difference():
    require_same("smsanet", {}, "smsanet", {"attention_where": (4, 5, 6, 7), "width": 64}, "x")


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    model = build("line_extractor", {"width": 4})
    state = model.state_dict()
    first = next(iter(state))
    del state[first]
    header = {
        "nuri.format": architectures.FORMAT,
        "nuri.architecture": "line_extractor",
        "nuri.options": '{"width": 4}',
    }
    save_file({**state, "stray": torch.zeros(1)}, path, header)
    with pytest.raises(ValueError, match=f"{first} is missing; stray is unknown"):
        load_model(path)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, build("line_extractor", {"width": 4}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        load_model(path)
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="convert"):
        load_model(path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing.safetensors")


def test_a_failed_write_leaves_the_file_before_it(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_model(path, build("line_extractor", {"width": 4}))
    before = path.read_bytes()

    def full(tensors, file, metadata):
        raise architectures.SafetensorError("No space left on device")

    monkeypatch.setattr(architectures, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(path, build("line_extractor", {"width": 4}))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_public_files_are_read_without_running_them(tmp_path):
    path = tmp_path / "public.pth"
    weights = {"module.conv.weight": torch.ones(2)}
    torch.save({"state_dict": weights, "epoch": 3}, path)
    assert list(import_state(path)) == ["conv.weight"]
    torch.save({"conv.weight": torch.ones(2), "lr": 1.0}, path)
    with pytest.raises(ValueError, match="lr"):
        import_state(path)
    with pytest.raises(FileNotFoundError):
        import_state(tmp_path / "nothing.pth")


def a_script(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "version"):
            archive.writestr(f"script/{name}", "3")


def a_half(path):
    torch.save({"a": torch.ones(9)}, path)
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save(torch.nn.Linear(1, 1), path),
        lambda path: path.write_bytes(pickle.dumps({"a": 1.0}, protocol=4)),
        lambda path: path.write_text("<html>Quota exceeded</html>"),
        lambda path: path.write_bytes(b""),
        a_script,
        a_half,
    ],
    ids=["module", "pickle", "page", "empty", "script", "half"],
)
def test_what_is_no_weights_file_is_told_in_our_words(write, tmp_path):
    path = tmp_path / "public.pth"
    write(path)
    with pytest.raises(ValueError) as told:
        import_state(path)
    assert str(told.value) == (
        f"{path} is no plain weights file: it is damaged, no .pth, or holds more than tensors"
    )


def test_only_known_public_weights_are_taken_over():
    with pytest.raises(ValueError, match="aaldc"):
        released("aaldc", {}, "a.pth")
    with pytest.raises(ValueError, match=r"a\.pth does not fit .*block1\.0\.weight is missing"):
        released("smsanet", {"model_out.0.bias": torch.zeros(2)}, "a.pth")
