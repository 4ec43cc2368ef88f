from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from backend.models.attention import MultiScaleAttention
from backend.models.smsanet import SMSANet, from_siggraph17
from tests.backend.models.counting import parameters_of


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"attention": "none"}, 34_049_346),
        ({"attention": "se"}, 34_049_346 + 4 * 33_312),
        ({"attention": "cbam"}, 34_049_346 + 4 * 33_410),
        ({"attention": "smsa"}, 34_182_834),
        ({"attention_where": range(1, 8)}, 34_194_242),
        ({"attention_where": [7]}, 34_049_346 + 33_372),
        ({"attention": "none", "in_channels": 4, "class_head": True}, 34_187_027),
    ],
)
def test_parameters_equal_the_papers(options, count):
    assert parameters_of(lambda: SMSANet(**options)) == count


def public_state(width=4, seed=0):
    """Weights in the layout and with the names of the public model."""
    torch.manual_seed(seed)
    widths = {
        1: [4, width, width],
        2: [width, *[2 * width] * 2],
        3: [2 * width, *[4 * width] * 3],
        4: [4 * width, *[8 * width] * 3],
        5: [8 * width] * 4,
        6: [8 * width] * 4,
        7: [8 * width] * 4,
        8: [4 * width] * 3,
        9: [2 * width] * 2,
        10: [2 * width] * 2,
    }
    state = {}

    def keep(name, layer):
        state.update({f"{name}.{key}": value for key, value in layer.state_dict().items()})

    for stage, channels in widths.items():
        index = 1 if stage >= 8 else 0
        for before, after in pairwise(channels):
            keep(f"model{stage}.{index}", nn.Conv2d(before, after, 3))
            index += 2
        if stage < 10:
            norm = nn.BatchNorm2d(channels[-1])
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
            keep(f"model{stage}.{index}", norm)
    ups = {8: (8, 4), 9: (4, 2), 10: (2, 2)}
    for stage, (before, after) in ups.items():
        keep(f"model{stage}up.0", nn.ConvTranspose2d(before * width, after * width, 4))
    for name, (before, after) in {"3short8": (4, 4), "2short9": (2, 2), "1short10": (1, 2)}.items():
        keep(f"model{name}.0", nn.Conv2d(before * width, after * width, 3))
    keep("model_class.0", nn.Conv2d(4 * width, 529, 1))
    keep("model_out.0", nn.Conv2d(2 * width, 2, 1))
    return state


def public_model(state, x):
    """The public model's formula, written out on its own weights."""

    def convolve(name, x, **options):
        return functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)

    def block(stage, x, count, dilation=1):
        first = 1 if stage >= 8 else 0
        x = torch.relu(x) if stage >= 8 else x
        for index in range(first, first + 2 * count, 2):
            name = f"model{stage}.{index}"
            x = torch.relu(convolve(name, x, padding=dilation, dilation=dilation))
        norm = f"model{stage}.{first + 2 * count}"
        parts = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{norm}.{part}"] for part in parts))

    def up(stage, x, short, skip):
        name = f"model{stage}up.0"
        x = functional.conv_transpose2d(
            x, state[f"{name}.weight"], state[f"{name}.bias"], stride=2, padding=1
        )
        return x + convolve(f"model{short}.0", skip, padding=1)

    s1 = block(1, x, 2)
    s2 = block(2, s1[:, :, ::2, ::2], 2)
    s3 = block(3, s2[:, :, ::2, ::2], 3)
    x = block(4, s3[:, :, ::2, ::2], 3)
    x = block(7, block(6, block(5, x, 3, 2), 3, 2), 3)
    x = block(8, up(8, x, "3short8", s3), 2)
    x = torch.relu(up(10, block(9, up(9, x, "2short9", s2), 1), "1short10", s1))
    x = functional.leaky_relu(convolve("model10.1", x, padding=1), 0.2)
    return torch.tanh(convolve("model_out.0", x))


@pytest.mark.parametrize("channels", [1, 4])
def test_equals_the_public_model_on_empty_hints(channels):
    state = public_state()
    model = SMSANet(width=4, in_channels=channels, attention="none").eval()
    model.load_base(from_siggraph17(state))
    gray = torch.rand(2, 1, 32, 40) - 0.5
    with torch.inference_mode():
        theirs = public_model(state, torch.cat([gray, torch.zeros(2, 3, 32, 40)], 1))
        assert (model(gray).main - theirs).abs().max() < 1e-5


def test_hints_reach_the_four_channel_model():
    model = SMSANet(width=4, in_channels=4, attention="none").eval()
    model.load_base(from_siggraph17(public_state()))
    x = torch.cat([torch.rand(1, 1, 32, 32) - 0.5, torch.ones(1, 3, 32, 32)], 1)
    assert not torch.allclose(model(x).main, model(x[:, :1]).main)


def test_attention_starts_near_identity_behind_public_weights():
    model = SMSANet(width=4)
    model.load_base(from_siggraph17(public_state()))
    blocks = [m for m in model.modules() if isinstance(m, MultiScaleAttention)]
    assert len(blocks) == 4
    assert all((block.theta == -4).all() for block in blocks)


def test_weights_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"block1\.0\.weight"):
        SMSANet(width=8).load_base(from_siggraph17(public_state(4)))
    with pytest.raises(ValueError, match="layer1"):
        from_siggraph17({"layer1.conv.weight": torch.zeros(1)})


@pytest.mark.parametrize("attention", ["none", "se", "cbam", "smsa"])
def test_shape_range_and_learning(attention):
    model = SMSANet(width=4, attention=attention)
    main = model(torch.rand(2, 1, 33, 50) - 0.5).main
    assert main.shape == (2, 2, 33, 50)
    assert main.abs().max() <= 1
    main.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_class_head_works_in_training_only():
    model = SMSANet(width=4, class_head=True)
    gray = torch.rand(1, 1, 32, 32) - 0.5
    assert model(gray).logits.shape == (1, 529, 8, 8)
    assert model.eval()(gray).logits is None


@pytest.mark.parametrize(
    "options", [{"attention": "self"}, {"in_channels": 3}, {"attention_where": [8]}, {"width": 0}]
)
def test_wrong_options_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SMSANet(**options)
