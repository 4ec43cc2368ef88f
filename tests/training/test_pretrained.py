"""Where weights are found, what is refused, and what a run records."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from training.errors import TrainingError
from training.pretrained import Degradations, load_state, resolve


def test_nothing_is_downloaded_unasked(nowhere: Path) -> None:
    assert resolve("vgg19") is None
    assert resolve("inception_fid") is None


def test_places_are_searched_in_order(nowhere: Path, tmp_path: Path) -> None:
    nets = tmp_path / "data" / "nets"
    nets.mkdir(parents=True)
    np.savez(nets / "squeezenet1_1.npz", a=np.ones(2))
    assert resolve("squeezenet1_1") == nets / "squeezenet1_1.npz"
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "vgg19-dcbb9e9d.pth").touch()
    assert resolve("vgg19") == cache / "vgg19-dcbb9e9d.pth"
    save_file({"a": torch.ones(1)}, nowhere / "vgg19.safetensors")
    assert resolve("vgg19") == nowhere / "vgg19.safetensors"


def test_the_heads_come_with_lpips(nowhere: Path) -> None:
    path = resolve("lpips_alex")
    assert path is not None
    assert load_state(path)["lin0.model.1.weight"].shape == (1, 64, 1, 1)


def test_an_allowed_download_goes_to_the_folder(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(url: str, target: str, hash_prefix: str | None, progress: bool) -> None:
        asked.append((url, hash_prefix))
        Path(target).touch()

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert resolve("vgg16", allow_download=True) == nowhere / "vgg16-397923af.pth"
    assert asked == [("https://download.pytorch.org/models/vgg16-397923af.pth", "397923af")]


def test_a_download_gets_a_name_under_which_it_is_found_again(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(url: str, target: str, **_options: object) -> None:
        assert url.endswith("/model.pth")
        Path(target).touch()

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert resolve("tag2pix", allow_download=True) == nowhere / "tag2pix.pth" == resolve("tag2pix")


def test_a_failed_download_is_told(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_arguments: object, **_options: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(TrainingError, match=r"vgg16 could not be downloaded.*no route"):
        resolve("vgg16", allow_download=True)


def test_three_kinds_of_files_are_read(tmp_path: Path) -> None:
    state = {"features.0.weight": torch.rand(2, 3)}
    save_file(state, tmp_path / "a.safetensors")
    np.savez(tmp_path / "a.npz", **{k: v.numpy() for k, v in state.items()})
    torch.save(state, tmp_path / "a.pth")
    for kind in ("safetensors", "npz", "pth"):
        torch.testing.assert_close(load_state(tmp_path / f"a.{kind}"), state)
    torch.save(
        {"weight": {f"module.{k}": v for k, v in state.items()}, "epoch": 1}, tmp_path / "a.pth"
    )
    torch.testing.assert_close(load_state(tmp_path / "a.pth"), state)


class Payload:
    """Something that a restricted loader has to refuse."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("executed",))


def test_bad_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": Payload()}, tmp_path / "code.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    torch.save({"a": torch.ones(1)}, tmp_path / "vgg19-dcbb9e9d.pth")
    for name in ("short.pth", "short.npz", "short.safetensors"):
        (tmp_path / name).write_bytes(b"not weights")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(TrainingError, match=path.name):
            load_state(path)
    assert "executed" not in capsys.readouterr().out


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TrainingError, match="'vgg91'"):
        resolve("vgg91")


def test_used_weights_are_told_with_their_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"weights")
    degradations = Degradations()
    degradations.use("vgg19", path)
    assert degradations.pretrained() == [f"vgg19 sha256:{hashlib.sha256(b'weights').hexdigest()}"]


def test_degradations_are_told_once_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    degradations = Degradations()
    with caplog.at_level(logging.WARNING, "nuri.training"):
        degradations.note("perceptual", "none", "the weights of vgg19 are absent")
        degradations.note("perceptual", "none", "the weights of vgg19 are absent")
        degradations.note("style", "none", "the weights of vgg19 are absent")
    assert [r.getMessage().split(":")[0] for r in caplog.records] == [
        "perceptual=none",
        "style=none",
    ]
    assert degradations.lines()[0] == "perceptual=none: the weights of vgg19 are absent"
