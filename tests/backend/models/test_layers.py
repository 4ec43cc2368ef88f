"""The shared layers, against their formulas written out."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from backend.models import layers
from backend.models.normalization import NORMS


def picture(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", NORMS)
def test_every_norm_keeps_the_shape_and_learns(kind: str) -> None:
    norm = layers.make_norm(kind, 6)
    x = picture(2, 6, 5, 4).requires_grad_()
    result = norm(x)
    result.square().sum().backward()
    assert result.shape == x.shape
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("none", 0),
        ("batch", 12),
        ("instance", 0),
        ("instance_affine", 12),
        ("sample", 2),
        ("ibn_split", 12),
        ("ibn_seq", 24),
    ],
)
def test_parameters_of_the_norms(kind: str, parameters: int) -> None:
    assert sum(p.numel() for p in layers.make_norm(kind, 6).parameters()) == parameters


def test_an_unknown_norm_is_named() -> None:
    with pytest.raises(ValueError, match=r"'bacth'.*batch"):
        layers.make_norm("bacth", 4)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_is_that_of_torch(memory_format: torch.memory_format) -> None:
    x = picture(3, 8, 7, 9).to(memory_format=memory_format)
    weight, bias = picture(8, seed=1), picture(8, seed=2)
    expected = functional.instance_norm(x, weight=weight, bias=bias)
    torch.testing.assert_close(layers.instance_norm(x, weight, bias), expected, atol=1e-5, rtol=0)


def test_instance_norm_of_one_pixel_is_the_bias_whatever_the_batch() -> None:
    bias = torch.randn(6)
    for batch in (1, 3):
        x = torch.randn(batch, 6, 1, 1)
        expected = bias.view(1, 6, 1, 1).expand(batch, -1, -1, -1)
        normed = layers.instance_norm(x, torch.ones(6), bias)
        torch.testing.assert_close(normed, expected, atol=1e-3, rtol=0)


def test_instance_norm_keeps_channels_last() -> None:
    x = picture(2, 8, 7, 9).to(memory_format=torch.channels_last)
    assert layers.instance_norm(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("styles", [1, 3])
def test_adain_is_normalise_times_scale_plus_shift(styles: int) -> None:
    x = picture(3, 5, 6, 7)
    shift, scale = picture(styles, 5, seed=1), picture(styles, 5, seed=2)
    mean = x.mean((2, 3), keepdim=True)
    deviation = ((x - mean).square().mean((2, 3), keepdim=True) + 1e-5).sqrt()
    expected = (x - mean) / deviation * scale[:, :, None, None] + shift[:, :, None, None]
    torch.testing.assert_close(layers.adain(x, shift, scale), expected, atol=1e-5, rtol=0)


def test_sample_norm_has_one_statistic_per_sample() -> None:
    x = picture(2, 3, 4, 5)
    flat = x.flatten(1)
    expected = (flat - flat.mean(1, keepdim=True)) / (flat.std(1, correction=0)[:, None] + 1e-3)
    result = layers.make_norm("sample", 3)(x).flatten(1)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)


def test_ibn_halves_are_instance_then_batch() -> None:
    x = picture(4, 5, 6, 6)
    result = layers.make_norm("ibn_split", 5)(x)
    torch.testing.assert_close(result[:, :2], functional.instance_norm(x[:, :2]), atol=1e-5, rtol=0)
    batch = functional.batch_norm(x[:, 2:], None, None, training=True)
    torch.testing.assert_close(result[:, 2:], batch, atol=1e-5, rtol=0)


def test_conv_norm_act_takes_its_steps_in_order() -> None:
    class Double(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    block = layers.ConvNormAct(
        3, 4, stride=2, norm="batch", activation="leaky_relu", attention=Double()
    ).eval()
    block.norm.running_mean.uniform_(-1, 1)
    x = picture(2, 3, 8, 8)
    hidden = 2 * functional.conv2d(x, block.conv.weight, block.conv.bias, 2, 1)
    expected = functional.leaky_relu(block.norm(hidden), 0.2)
    torch.testing.assert_close(block(x), expected)


def test_uneven_padding_is_left_right_top_bottom() -> None:
    block = layers.ConvNormAct(1, 1, 4, padding=(1, 2, 0, 3))
    x = picture(1, 1, 5, 6)
    expected = block.conv(functional.pad(x, (1, 2, 0, 3)))
    torch.testing.assert_close(block(x), expected)
    assert block(x).shape == x.shape


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    block = layers.ConvNormAct(6, 8, spectral=True)
    for _ in range(200):
        block(picture(1, 6, 4, 4))
    largest = torch.linalg.matrix_norm(block.conv.weight.detach().flatten(1), 2)
    assert float(largest) == pytest.approx(1, abs=1e-3)


def test_spectral_norm_of_a_transposed_convolution_keeps_its_outputs_as_rows() -> None:
    conv = layers.spectral_norm(nn.ConvTranspose2d(6, 4, 4))
    for _ in range(200):
        conv(picture(1, 6, 4, 4))
    rows = conv.weight.detach().transpose(0, 1).flatten(1)
    assert float(torch.linalg.matrix_norm(rows, 2)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "layer",
    [
        layers.spectral_norm(nn.Conv2d(6, 8, 3)),
        layers.spectral_norm(nn.ConvTranspose2d(6, 8, 3)),
        layers.ConvNormAct(6, 8, spectral=True).conv,
    ],
)
def test_spectral_norm_is_computed_in_full_precision_under_autocast(
    layer: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.no_grad():
        exact = layer.eval().weight.clone()
    half, product = [], torch.mv

    def seen(*operands: torch.Tensor, **options: object) -> torch.Tensor:
        half.append(torch.is_autocast_enabled("cpu"))
        return product(*operands, **options)

    monkeypatch.setattr(torch, "mv", seen)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        under = layer.weight.clone()
        layer.train()(picture(1, 6, 5, 5))
    assert torch.equal(under, exact) and under.dtype == torch.float32
    assert len(half) == 4 and not any(half), "in eval one product, in training three"


@pytest.mark.parametrize(
    "layer", [nn.Linear(5, 4), nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(3, 4, 3)]
)
def test_spectral_norm_has_the_state_of_that_of_torch(layer: nn.Module) -> None:
    theirs = nn.utils.parametrizations.spectral_norm(copy.deepcopy(layer)).eval()
    ours = layers.spectral_norm(layer).eval()
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours.weight, theirs.weight)


def test_residual_block_adds_before_the_last_activation() -> None:
    block = layers.ResidualBlock(4).eval()
    x = picture(1, 4, 5, 5)
    expected = functional.relu(x + block.second.conv(functional.relu(block.first.conv(x))))
    torch.testing.assert_close(block(x), expected, atol=1e-4, rtol=0)
    assert block.first.conv.bias is None


def test_adain_residual_block_without_a_style_is_plain_instance_norm() -> None:
    block = layers.AdaINResidualBlock(4)
    x = picture(2, 4, 6, 6)
    neutral = torch.zeros(1, 2, 2, 4)
    neutral[:, :, 1] = 1
    torch.testing.assert_close(block(x, neutral), block(x, None), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("mode", "kwargs"),
    [
        ("nearest", {"mode": "nearest"}),
        ("bilinear", {"mode": "bilinear", "align_corners": False}),
        ("bilinear_corners", {"mode": "bilinear", "align_corners": True}),
    ],
)
def test_resize_modes(mode: str, kwargs: dict[str, object]) -> None:
    x = picture(1, 2, 4, 3)
    expected = functional.interpolate(x, size=(8, 6), **kwargs)
    torch.testing.assert_close(layers.resize(x, 2, mode), expected)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (3, {}),
        (3, {"padding_mode": "reflect"}),
        (3, {"factor": 3, "bias": False}),
        (4, {"padding": (1, 2, 1, 2), "norm": "batch", "activation": "relu"}),
        (7, {}),
    ],
)
def test_enlarging_in_phases_is_exact(
    kernel: int, options: dict[str, object], memory_format: torch.memory_format
) -> None:
    up = layers.ResizeConvUp(6, 5, kernel, **options).eval()
    x = picture(2, 6, 5, 7).to(memory_format=memory_format)
    with torch.inference_mode():
        expected = up(x)
        fast = up.inference_form()
        assert fast is not up
        result = fast(x)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)
    assert result.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize(
    ("kernel", "options"),
    [(3, {"mode": "bilinear"}), (5, {"padding_mode": "reflect"}), (3, {"spectral": True})],
)
def test_what_has_no_exact_phases_stays_as_it_is(kernel: int, options: dict[str, object]) -> None:
    up = layers.ResizeConvUp(3, 3, kernel, **options)
    assert up.inference_form() is up


def test_pixel_shuffle_and_subsample_shapes() -> None:
    assert layers.PixelShuffleUp(3, 5)(picture(1, 3, 4, 6)).shape == (1, 5, 8, 12)
    x = picture(1, 1, 5, 6)
    torch.testing.assert_close(layers.Subsample()(x), x[:, :, [0, 2, 4]][..., [0, 2, 4]])


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 17, 30), (2, 4, 1, 5, 33)])
def test_padding_to_a_multiple_repeats_the_border_and_is_undone(shape: tuple[int, ...]) -> None:
    x = picture(*shape)
    padded = layers.pad_to_multiple(x, 8, minimum=16)
    assert padded.shape[:-2] == x.shape[:-2]
    assert all(side % 8 == 0 and side >= 16 for side in padded.shape[-2:])
    torch.testing.assert_close(layers.crop_to(padded, *shape[-2:]), x)
    torch.testing.assert_close(padded[..., -1, -1], x[..., -1, -1])


def test_a_map_that_divides_is_not_copied() -> None:
    x = picture(1, 1, 16, 32)
    assert layers.pad_to_multiple(x, 16) is x
