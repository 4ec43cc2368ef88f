"""`nuri-train import`: published files, under their authors' names of tensors, become networks.

The sizes are the published ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.models import architectures
from training.cli import main
from training.losses import PFANet, load_saliency
from training.metrics import load_perceptual
from training.metrics.frechet import InceptionFeatures, load_inception
from training.pretrained import SOURCES, Degradations

from .published import (
    State,
    alacgan_generator,
    manga_generator,
    pfanet_port,
    siggraph17,
    tagger,
    wrapped,
)


def imported(tmp_path: Path, content: object, name: str) -> Path:
    source, output = tmp_path / "published.pth", tmp_path / f"{name}.safetensors"
    torch.save(content, source)
    assert main(["import", str(source), "-o", str(output), "--as", name]) == 0
    return output


@pytest.mark.parametrize(
    ("name", "make", "count", "options"),
    [
        ("smsanet", siggraph17, 34_187_027, {"in_channels": 4, "attention": "none"}),
        ("manga", manga_generator, 31_808_154 + 1_564_784, {"size": "release"}),
        ("alacgan", alacgan_generator, 21_936_003 + 1_564_784, {"width": 64}),
    ],
)
def test_published_networks_are_imported(
    name: str,
    make: Callable[[], State],
    count: int,
    options: dict[str, object],
    nowhere: Path,
    tmp_path: Path,
) -> None:
    published = make()
    content = {"state_dictG": wrapped(published)["weight"]} if name == "alacgan" else published
    path = imported(tmp_path, content, name)
    header = architectures.read_header(path)
    assert header.name == name
    assert options.items() <= header.options.items()
    assert header.extra["source"] == "published.pth"
    model = architectures.load_model(path)
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    found = model.state_dict()
    pairs = {
        "smsanet": {"model3.4.weight": "block3.4.weight", "model_out.0.bias": "exit.bias"},
        "manga": {
            "feature_conv.network.2.weight": "generator.features.2.weight",
            "tunnel3.2.5.selayer.conv2.bias": "generator.decoders.1.2.5.excitation.fc2.bias",
            "deconv_for_decoder.6.weight": "generator.aux.6.weight",
        },
        "alacgan": {
            "toH.0.weight": "generator.hint.0.weight",
            "tunnel4.2.19.conv_conv.weight": "generator.decoders.0.2.19.middle.weight",
        },
    }
    for theirs, ours in pairs[name].items():
        assert torch.equal(found[ours], published[theirs])


def test_a_generator_without_its_extractor_says_so(nowhere: Path, tmp_path: Path) -> None:
    extra = architectures.read_header(imported(tmp_path, manga_generator(), "manga")).extra
    assert extra["degraded"] == [
        "extractor=random: the weights of tag2pix and seresnext50 are absent"
    ]
    assert extra["pretrained"] == []


def test_a_generator_finds_its_extractor(nowhere: Path, tmp_path: Path) -> None:
    published = tagger()
    tag2pix = imported(tmp_path, wrapped(published), "tag2pix")
    tag2pix.rename(nowhere / tag2pix.name)
    path = imported(tmp_path, manga_generator(), "manga")
    found = architectures.load_model(path).state_dict()
    pairs = {"layer2.3.conv2.weight": "layer2.3.conv2.weight", "bn1.bias": "bn1.bias"}
    pairs["layer1.2.selayer.conv1.weight"] = "layer1.2.se.fc1.weight"
    for theirs, ours in pairs.items():
        assert torch.equal(found[f"extractor.net.{ours}"], published[theirs])
    extra = architectures.read_header(path).extra
    assert extra["degraded"] == []
    (used,) = extra["pretrained"]
    assert used.startswith("tag2pix sha256:")


def test_another_file_is_refused(
    nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "other.pth", tmp_path / "manga.safetensors"
    torch.save({"stem.weight": torch.zeros(1)}, source)
    for name, words in (
        ("manga", "'stem.weight' is no key of the manga generator"),
        ("aaldc", "nothing is called 'aaldc'"),
    ):
        assert main(["import", str(source), "-o", str(output), "--as", name]) == 1
        assert words in capsys.readouterr().err
    published = manga_generator()
    del published["exit.bias"]
    torch.save(published, source)
    assert main(["import", str(source), "-o", str(output), "--as", "manga"]) == 1
    assert "exit.bias is missing" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_of_something_else_is_refused(
    name: str, nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "other.pth", tmp_path / "new" / "out.safetensors"
    torch.save({"stem.weight": torch.zeros(1)}, source)
    assert main(["import", str(source), "-o", str(output), "--as", name]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.count(str(source)) == 1 and "internal error" not in line
    assert not output.parent.exists()


@pytest.mark.parametrize("name", ["smsanet", "manga", "vgg19"])
def test_what_is_no_weights_file_is_named_once(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "page.pth"
    source.write_text("<html>Quota exceeded</html>")
    assert main(["import", str(source), "-o", str(tmp_path / "a.safetensors"), "--as", name]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.count(str(source)) == 1 and "it is damaged, no .pth, or holds more than" in line


def test_pfanet_of_the_port_becomes_the_network_of_the_loss(nowhere: Path, tmp_path: Path) -> None:
    published = pfanet_port()
    content = {"model": published, "epoch": 7, "test_mae": 0.05}
    imported(tmp_path, content, "pfanet").rename(nowhere / "pfanet.safetensors")
    network = load_saliency(Degradations())
    assert isinstance(network, PFANet)
    found = network.state_dict()
    pairs = {
        "vgg16.28.weight": "trunk.features.28.weight",
        "cpfe_conv4_3.conv_dil_5.weight": "pyramids.1.dilated.1.weight",
        "cpfe_conv5_3.bn.running_var": "pyramids.2.norm.running_var",
        "cha_att.linear_2.bias": "channel_gate.2.bias",
        "hl_bn1.running_mean": "high.1.running_mean",
        "ll_conv_2.weight": "low.1.0.weight",
        "ll_bn_3.bias": "low_joined.1.bias",
        "spa_att.grp1_convk1.weight": "place_gate.across.3.weight",
        "spa_att.grp2_convk1.weight": "place_gate.down.0.weight",
        "spa_att.grp2_bn2.weight": "place_gate.down.4.weight",
        "ff_conv_1.weight": "out.weight",
    }
    for theirs, ours in pairs.items():
        assert torch.equal(found[ours], published[theirs])


def test_pfanet_without_a_layer_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = pfanet_port()
    published["hl_conv2.bias"] = published.pop("hl_conv1.bias")
    source, output = tmp_path / "best.pth", tmp_path / "pfanet.safetensors"
    torch.save(published, source)
    assert main(["import", str(source), "-o", str(output), "--as", "pfanet"]) == 1
    told = capsys.readouterr().err
    assert "high.0.bias is missing; hl_conv2.bias is unknown" in told
    assert told.endswith(": name the published file of pfanet\n") and not output.exists()


def test_the_network_of_the_fid_is_imported(nowhere: Path, tmp_path: Path) -> None:
    state = InceptionFeatures().network.state_dict()
    old = {key: value for key, value in state.items() if not key.endswith("batches_tracked")}
    imported(tmp_path, old, "inception_fid").rename(nowhere / "inception_fid.safetensors")
    network = load_inception()
    assert network is not None
    assert torch.equal(network.network.fc.weight, state["fc.weight"])


def keras_state() -> dict[str, np.ndarray]:
    """The published shapes (3, 3, in, out), and a layer of the head, which no one needs here."""
    widths, depths = (64, 128, 256, 512, 512), (2, 2, 4, 4, 4)
    rng, state, channels = np.random.default_rng(0), {}, 3
    for block, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
        for layer in range(1, depth + 1):
            name = f"block{block}_conv{layer}"
            kernel = rng.standard_normal((3, 3, channels, width), np.float32)
            state[f"{name}/{name}_W_1:0"] = kernel
            state[f"{name}/{name}_b_1:0"] = rng.standard_normal(width, np.float32)
            channels = width
    return {**state, "fc1/fc1_b_1:0": np.zeros(4096, np.float32)}


def test_keras_vgg_becomes_the_network_of_l_perc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = keras_state()
    source, output = tmp_path / "keras.npz", tmp_path / "vgg19_keras.safetensors"
    np.savez(source, **state)
    assert main(["import", str(source), "-o", str(output), "--as", "vgg19_keras"]) == 0
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path))
    network = load_perceptual("keras")
    assert network is not None
    kernels = [m.weight for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(kernels) == 13  # up to relu5_1
    third = torch.from_numpy(state["block3_conv2/block3_conv2_W_1:0"])
    assert torch.equal(kernels[5], third.permute(3, 2, 0, 1))


def test_keras_vgg_without_a_layer_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {key: value for key, value in keras_state().items() if "block4_conv3" not in key}
    np.savez(tmp_path / "keras.npz", **state)
    output = tmp_path / "vgg19_keras.safetensors"
    arguments = ["import", str(tmp_path / "keras.npz"), "-o", str(output), "--as", "vgg19_keras"]
    assert main(arguments) == 1
    assert "30 of the 32 tensors" in capsys.readouterr().err and not output.exists()
