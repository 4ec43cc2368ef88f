"""Shift along time and gated convolutions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional

from backend.models.temporal import GatedConv, GatedTSMConv, TemporalShift


def clip(frames: int, channels: int = 8, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, frames, channels, 6, 5, generator=generator)


@pytest.mark.parametrize("learnable", [True, False])
def test_at_first_the_quarters_move_by_one_frame(learnable: bool) -> None:
    x = clip(4)
    result = TemporalShift(8, learnable=learnable)(x)
    expected = x.clone()
    expected[:, :-1, :2], expected[:, -1, :2] = x[:, 1:, :2], 0
    expected[:, 1:, 2:4], expected[:, 0, 2:4] = x[:, :-1, 2:4], 0
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("width", [3, 5])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_learned_taps_are_a_correlation_along_time(frames: int, width: int) -> None:
    shift = TemporalShift(8, width=width)
    torch.nn.init.normal_(shift.taps, generator=torch.Generator().manual_seed(1))
    x = clip(frames)
    columns = x[:, :, :4].permute(0, 3, 4, 2, 1).reshape(-1, 4, frames)
    kernel = shift.taps.repeat_interleave(2, 0)[:, None]
    filtered = functional.conv1d(columns, kernel, padding=width // 2, groups=4)
    expected = x.clone()
    expected[:, :, :4] = filtered.view(2, 6, 5, 4, frames).permute(0, 4, 3, 1, 2)
    torch.testing.assert_close(shift(x), expected, atol=1e-5, rtol=0)


def test_the_taps_learn_unless_fixed() -> None:
    shift = TemporalShift(8)
    shift(clip(3)).square().sum().backward()
    assert shift.taps.grad.abs().sum() > 0
    assert not TemporalShift(8, learnable=False).taps.requires_grad


@pytest.mark.parametrize("width", [3, 5])
def test_learned_taps_are_the_same_in_channels_last(width: int) -> None:
    shift = TemporalShift(8, width=width)
    torch.nn.init.normal_(shift.taps, generator=torch.Generator().manual_seed(1))
    plain = clip(7).requires_grad_()
    last = plain.detach().flatten(0, 1).to(memory_format=torch.channels_last)
    last = last.unflatten(0, (2, 7)).requires_grad_()
    outputs, gradients = [], []
    for x in (plain, last):
        result = shift(x)
        outputs.append(result)
        gradients.append(torch.autograd.grad(result.square().sum(), [x, shift.taps]))
    torch.testing.assert_close(*outputs, atol=0, rtol=0)
    torch.testing.assert_close(*gradients)


def test_shift_keeps_channels_last() -> None:
    x = clip(3).flatten(0, 1).to(memory_format=torch.channels_last).unflatten(0, (2, 3))
    result = TemporalShift(8)(x)
    torch.testing.assert_close(result, TemporalShift(8)(clip(3)))
    assert result.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_too_few_channels_and_even_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="3 channels are too few"):
        TemporalShift(3)
    with pytest.raises(ValueError, match="width=4"):
        TemporalShift(8, width=4)
    with pytest.raises(ValueError, match="shift='learned'"):
        GatedTSMConv(8, 8, shift="learned")


def test_gated_convolution_is_feature_times_gate() -> None:
    block = GatedConv(8, 3)
    x = clip(1)[:, 0]
    feature = functional.conv2d(x, block.feature.conv.weight, block.feature.conv.bias, padding=1)
    gate = functional.conv2d(x, block.gate.conv.weight, block.gate.conv.bias, padding=1)
    expected = functional.leaky_relu(feature, 0.2) * torch.sigmoid(gate)
    torch.testing.assert_close(block(x), expected)


def test_only_the_feature_sees_other_frames() -> None:
    block = GatedTSMConv(8, 3)
    x = clip(3)
    changed = x.clone()
    changed[:, 2] += 1
    gates, features = [], []
    for each in (x, changed):
        gates.append(block.gate(each.flatten(0, 1)).unflatten(0, (2, 3)))
        features.append(block.feature(block.shift(each).flatten(0, 1)).unflatten(0, (2, 3)))
    torch.testing.assert_close(gates[0][:, 1], gates[1][:, 1])
    assert not torch.allclose(features[0][:, 1], features[1][:, 1])
    expected = gates[0] * features[0]
    torch.testing.assert_close(block(x), expected)


def test_enlarging_gives_twice_the_sides() -> None:
    assert GatedTSMConv(8, 3, factor=2)(clip(2)).shape == (2, 2, 3, 12, 10)
