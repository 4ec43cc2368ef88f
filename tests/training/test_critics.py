"""Critics: the counts and maps of the papers' tables."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from training.critics import (
    CRITIC_FORMS,
    AlacGANDiscriminator,
    GlobalDiscriminator,
    PatchDiscriminator,
    TemporalPatchDiscriminator,
    build_critic,
    ibn_critic,
    named_critic,
)
from training.errors import TrainingError


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def spectral_layers(module: nn.Module) -> int:
    return sum(parametrize.is_parametrized(m) for m in module.modules())


@pytest.mark.parametrize(
    ("form", "options", "count", "spectral"),
    [
        ("aaldc", {}, 175_584, 4),
        ("ibn_gan", {}, 2_766_529, 5),
        ("ibn_gan", {"norm": "batch", "spectral": False}, 2_766_529, 0),
        ("ibn_gan", {"norm": "instance", "in_scope": "sample"}, 2_764_743, 5),
        ("ibn_gan", {"critics": 3, "patch": 94}, 8_299_587, 15),
        ("video", {}, 2_765_761, 4),
        ("video_temporal", {}, 2_674_335, 5),
        # five plain convolutions, and ten blocks of three convolutions and two of the gate
        ("manga", {}, 2_007_033, 2 + 3 + 10 * 5),
        ("manga", {"release": True}, 2_007_033, 2 + 3 + 10 * 5),
        ("alacgan", {}, 10_612_033, 0),
    ],
)
def test_parameters_are_those_of_the_tables(
    form: str, options: dict, count: int, spectral: int
) -> None:
    critic = named_critic(form, options)
    assert parameters(critic) == count
    assert spectral_layers(critic) == spectral


@pytest.mark.parametrize(
    ("form", "options", "channels", "maps"),
    [
        ("aaldc", {"width": 2}, 4, [13]),
        ("ibn_gan", {"width": 2}, 3, [32]),
        ("ibn_gan", {"width": 2, "critics": 3}, 3, [32, 16, 8]),
        ("ibn_gan", {"width": 2, "critics": 3, "patch": 94, "pool": "avg3"}, 3, [16, 8, 4]),
        ("video", {"width": 2}, 4, [30]),
    ],
)
def test_maps_of_a_picture_of_256(form: str, options: dict, channels: int, maps: list[int]) -> None:
    critic = named_critic(form, options)
    shapes = [tuple(m.shape) for m in critic(torch.rand(1, channels, 256, 256))]
    assert shapes == [(1, 1, side, side) for side in maps]


def receptive_field(critic: nn.Module, channels: int, side: int) -> int:
    x = torch.randn(1, channels, side, side, requires_grad=True)
    logits = critic.eval()(x)[0]
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    return int(rows.max() - rows.min()) + 1


def test_patches_have_the_named_size() -> None:
    assert receptive_field(ibn_critic(width=4, norm="batch", spectral=False), 3, 256) == 70
    assert receptive_field(ibn_critic(width=4, norm="batch", patch=94), 3, 256) == 94
    assert receptive_field(CRITIC_FORMS["aaldc"](width=4), 4, 256) == 94


@pytest.mark.parametrize(
    ("mode", "scope", "expected"),
    [
        ("replace", "channel", ["Identity", "InstanceNorm", "BatchNorm2d", "BatchNorm2d"]),
        ("replace", "sample", ["Identity", "SampleNorm", "BatchNorm2d", "BatchNorm2d"]),
        ("split", "channel", ["Identity", "InstanceBatchNorm", "BatchNorm2d", "BatchNorm2d"]),
        ("sequential", "channel", ["Identity", "Sequential", "BatchNorm2d", "BatchNorm2d"]),
    ],
)
def test_the_second_layer_has_the_instance_norm(mode: str, scope: str, expected: list[str]) -> None:
    critic = ibn_critic(width=4, ibn_mode=mode, in_scope=scope).critics[0]
    assert [type(layer.norm).__name__ for layer in critic.layers[:4]] == expected


def test_keras_settings_of_the_ibn_critic() -> None:
    critic = ibn_critic(width=8, norm="batch").critics[0]
    norms = [m for m in critic.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(n.momentum, n.eps) for n in norms} == {(0.01, 1e-3)}
    first = critic.layers[1].conv
    weight = first.parametrizations.weight.original
    bound = (6 / (16 * (8 + 16))) ** 0.5
    assert 0.9 * bound < weight.abs().max() <= bound
    assert not first.bias.any()


def test_temporal_critic_looks_at_neighbouring_frames() -> None:
    torch.manual_seed(0)
    critic = TemporalPatchDiscriminator(width=4).eval()
    clip = torch.rand(1, 6, 3, 64, 64, requires_grad=True)
    logits = critic(clip)[0]
    assert logits.shape == (1, 6, 1, 2, 2)
    logits[0, 3].sum().backward()
    reached = clip.grad.abs().sum((0, 2, 3, 4)) > 0
    assert reached.all(), "five shifts reach at least two frames each way"
    assert critic(clip[:, :1])[0].shape == (1, 1, 1, 2, 2)


def test_the_first_shift_moves_one_channel_each_way() -> None:
    shift = TemporalPatchDiscriminator(width=4).shifts[0]
    clip = torch.rand(1, 4, 3, 2, 2)
    moved = shift(clip)
    torch.testing.assert_close(moved[0, :-1, 0], clip[0, 1:, 0])
    torch.testing.assert_close(moved[0, 1:, 1], clip[0, :-1, 1])
    torch.testing.assert_close(moved[:, :, 2], clip[:, :, 2])


@pytest.mark.parametrize("release", [False, True])
def test_manga_critic_sizes(release: bool) -> None:
    critic = GlobalDiscriminator(width=16, release=release).eval()
    sides = []
    for layer in critic.layers:
        layer.register_forward_hook(lambda _m, _i, o: sides.append(o.shape[-1]))
    assert critic(torch.rand(2, 3, 512, 512))[0].shape == (2, 1)
    seen = list(dict.fromkeys(sides))
    assert seen == ([512, 255, 127, 63, 31, 33, 16] if release else [512, 256, 128, 64, 32, 16])


def test_alacgan_critic_needs_the_features() -> None:
    critic = AlacGANDiscriminator(width=16)
    color = torch.rand(2, 3, 512, 512)
    features = torch.rand(2, 128, 32, 32, requires_grad=True)
    scores = critic(color, features)[0]
    assert scores.shape == (2, 1)
    scores.sum().backward()
    assert features.grad.abs().sum() > 0


@pytest.mark.parametrize(("side", "places"), [(128, 1), (640, 4)])
def test_alacgan_critic_at_other_sizes(side: int, places: int) -> None:
    critic = AlacGANDiscriminator(width=8)
    features = torch.rand(1, 64, side // 16, side // 16)
    assert critic(torch.rand(1, 3, side, side), features)[0].shape == (1, places)


def test_critics_are_rebuilt_from_their_options() -> None:
    for form, make in CRITIC_FORMS.items():
        critic = make(width=16)
        again = type(critic)(**critic.options)
        assert parameters(again) == parameters(critic), form


def test_wrong_options_are_told_in_a_line() -> None:
    with pytest.raises(TrainingError, match="no critic is called 'patches'"):
        build_critic("patches", {})
    with pytest.raises(TrainingError, match="norm='layer'"):
        build_critic("patch", {"in_channels": 3, "norm": "layer"})
    with pytest.raises(TrainingError, match="widht"):
        build_critic("patch", {"in_channels": 3, "widht": 3})
    with pytest.raises(TrainingError, match="patch=80"):
        named_critic("ibn_gan", {"patch": 80})
    for mode in ("split", "sequential"):
        with pytest.raises(TrainingError, match=f"'sample' is not defined for ibn_mode='{mode}'"):
            named_critic("ibn_gan", {"in_scope": "sample", "ibn_mode": mode})
    with pytest.raises(ValueError, match="last_stride"):
        PatchDiscriminator(in_channels=3, last_stride=3)


@pytest.mark.parametrize(("form", "bounded"), [("ibn_gan", 5), ("aaldc", 4), ("video", 4)])
def test_spectral_norm_starts_at_its_true_size(form: str, bounded: int) -> None:
    torch.manual_seed(0)
    options = {"width": 8, "critics": 1} if form == "ibn_gan" else {"width": 8}
    critic = named_critic(form, options).eval()
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Conv2d)]
    norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in layers]
    assert norms[:bounded] == pytest.approx([1.0] * bounded, abs=0.2)
