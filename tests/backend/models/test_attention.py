from __future__ import annotations

import pytest
import torch

from backend.models.attention import CBAM, MultiScaleAttention, SqueezeExcitation
from tests.backend.models.counting import parameters


def test_parameters_equal_the_papers():
    assert parameters(SqueezeExcitation(512)) == 33_312
    assert parameters(CBAM(512, mlp_bias=True)) == 33_410
    assert parameters(MultiScaleAttention(512)) == 33_372
    assert parameters(CBAM(16)) == 16 * 16 // 8 + 98


def test_one_encoder_of_aaldc_has_22804_parameters_of_attention():
    widths = [16, 16, 32, 32, 64, 64, 128, 128, 256, 256]
    assert sum(parameters(CBAM(width)) for width in widths) == 22_804


def test_original_cbam_adds_biases_and_a_norm():
    plain, original = CBAM(32), CBAM(32, mlp_bias=True, spatial_norm=True)
    assert parameters(original) - parameters(plain) == 2 + 32 + 2


@pytest.mark.parametrize("block", [SqueezeExcitation(8, 2), CBAM(8, 2), MultiScaleAttention(8)])
def test_keeps_the_shape(block):
    x = torch.randn(2, 8, 13, 9)
    assert block(x).shape == x.shape


def test_excitation_follows_its_formula():
    block = SqueezeExcitation(6, 2).eval()
    x = torch.randn(2, 6, 4, 5)
    hidden = torch.relu(x.mean((2, 3)) @ block.fc1.weight.flatten(1).T + block.fc1.bias)
    gate = torch.sigmoid(hidden @ block.fc2.weight.flatten(1).T + block.fc2.bias)
    torch.testing.assert_close(block(x), x * gate[:, :, None, None])


def test_smsa_without_weight_is_the_identity():
    block = MultiScaleAttention(8, theta=float("-inf"))
    x = torch.randn(1, 8, 16, 16)
    assert torch.equal(block(x), x)


def test_smsa_weights_are_constant_inside_their_patches():
    block = MultiScaleAttention(8)
    for scale, weight in enumerate(block.patch_weights(torch.randn(1, 8, 32, 32)), start=1):
        side = 2**scale
        patches = weight.unfold(2, side, side).unfold(3, side, side).flatten(4)
        assert torch.equal(patches.amin(4), patches.amax(4))
        assert patches[0, 0, :, :, 0].unique().numel() > 1


def test_smsa_split_changes_how_the_maximum_is_reduced():
    x = torch.randn(1, 8, 16, 16)
    block = MultiScaleAttention(8)
    before = block(x)
    block.split = "avg_avg"
    assert not torch.allclose(before, block(x))


def test_smsa_learns_the_weight_of_its_scales():
    block = MultiScaleAttention(8)
    block(torch.randn(1, 8, 16, 16)).square().sum().backward()
    assert block.theta.grad is not None and (block.theta.grad != 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiScaleAttention(8, scales=1), "scales"),
        (lambda: MultiScaleAttention(8, split="sum"), "split"),
        (lambda: CBAM(8, kernel_size=4), "odd"),
        (lambda: SqueezeExcitation(8, reduction=0), "reduction"),
    ],
)
def test_wrong_options_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
