"""Made-up weights under the names and in the sizes that their authors published.

A tensor is one number throughout, which follows from its name.
"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

State = dict[str, Tensor]
BLOCK = ("conv_reduce.weight", "conv_conv.weight", "conv_expand.weight")
EXCITATION = tuple(f"selayer.conv{n}.{part}" for n in (1, 2) for part in ("weight", "bias"))


def value(name: str, *shape: int) -> Tensor:
    """One number throughout, told by the name."""
    return torch.full(shape, zlib.crc32(name.encode()) % 997 / 997)


def layer(name: str, *weight: int, bias: int = 0) -> State:
    state = {f"{name}.weight": value(f"{name}.weight", *weight)}
    return state | ({f"{name}.bias": value(f"{name}.bias", bias)} if bias else {})


def norm(name: str, channels: int) -> State:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": value(f"{name}.{part}", channels) for part in parts}


def tunnel(
    name: str, before: int, inner: int, after: int, count: int, groups: int, excitation: bool
) -> State:
    """A decoder stage of both releases: convolution, blocks, convolution to the pixel shuffle."""
    state = layer(f"{name}.0", inner, before, 3, 3, bias=inner)
    for block in range(count):
        half, squeezed, path = inner // 2, inner // 16, f"{name}.2.{block}"
        shapes = [(half, inner, 1, 1), (half, half // groups, 3, 3), (inner, half, 1, 1)]
        gates = [(squeezed, inner, 1, 1), (squeezed,), (inner, squeezed, 1, 1), (inner,)]
        for part, shape in zip(BLOCK, shapes, strict=True):
            state[f"{path}.{part}"] = value(f"{path}.{part}", *shape)
        for part, shape in zip(EXCITATION, gates, strict=True) if excitation else ():
            state[f"{path}.{part}"] = value(f"{path}.{part}", *shape)
    return state | layer(f"{name}.3", 4 * after, inner, 3, 3, bias=4 * after)


def tunnels(excitation: bool) -> State:
    sizes = {4: (1024, 512, 256, 20, 32), 3: (512, 256, 128, 8, 32), 2: (256, 128, 64, 8, 32)}
    sizes[1] = (128, 64, 32, 5, 16)
    state: State = {}
    for stage, size in sizes.items():
        state |= tunnel(f"tunnel{stage}", *size, excitation)
    return state | layer("exit", 3, 64, 3, 3, bias=3)


def manga_generator() -> State:
    """`generator.pth` of qweasdd/manga-colorization."""
    state: State = {}
    for index in (0, 2, 4):
        state |= layer(f"feature_conv.network.{index}", 512, 512, 3, 3)
    for level, (before, after) in enumerate(((6, 32), (32, 64), (64, 128), (128, 256), (256, 512))):
        state |= layer(f"to{level}.0", after, before, 3, 3, bias=after)
        state |= layer(f"to{level}.2", after, after, 3, 3, bias=after)
    for index, (before, after) in enumerate(((256, 128), (128, 64), (64, 32), (32, 3))):
        state |= layer(f"deconv_for_decoder.{2 * index}", before, after, 3, 3, bias=after)
    return state | tunnels(excitation=True)


def alacgan_generator() -> State:
    """The generator in a checkpoint of orashi/AlacGAN."""
    state = layer("toH.0", 64, 4, 7, 7, bias=64) | layer("to0.0", 32, 1, 3, 3, bias=32)
    for level, (before, after) in enumerate(((32, 64), (64, 128), (192, 256), (256, 512)), 1):
        state |= layer(f"to{level}.0", after, before, 4, 4, bias=after)
    return state | tunnels(excitation=False)


def siggraph17() -> State:
    """`siggraph17-df00044c.pth` of richzhang/colorization."""
    stages = {
        1: (0, 4, 64, 2), 2: (0, 64, 128, 2), 3: (0, 128, 256, 3), 4: (0, 256, 512, 3),
        5: (0, 512, 512, 3), 6: (0, 512, 512, 3), 7: (0, 512, 512, 3),
        8: (1, 256, 256, 2), 9: (1, 128, 128, 1), 10: (1, 128, 128, 1),
    }  # fmt: skip
    state: State = {}
    for stage, (first, before, after, count) in stages.items():
        for index in range(first, first + 2 * count, 2):
            state |= layer(f"model{stage}.{index}", after, before, 3, 3, bias=after)
            before = after
        if stage < 10:
            state |= norm(f"model{stage}.{first + 2 * count}", after)
    for stage, (before, after) in {8: (512, 256), 9: (256, 128), 10: (128, 128)}.items():
        state |= layer(f"model{stage}up.0", before, after, 4, 4, bias=after)
    for name, (before, after) in {"3short8": (256, 256), "2short9": (128, 128)}.items():
        state |= layer(f"model{name}.0", after, before, 3, 3, bias=after)
    state |= layer("model1short10.0", 128, 64, 3, 3, bias=128)
    state |= layer("model_class.0", 529, 256, 1, 1, bias=529)
    return state | layer("model_out.0", 2, 128, 1, 1, bias=2)


def tagger(gate: str = "selayer.conv", colours: int = 1) -> State:
    """SE-ResNeXt-50 up to conv3, and something of what follows it."""
    state = layer("conv1", 64, colours, 7, 7) | norm("bn1", 64)
    for stage, (before, after, count) in {1: (64, 256, 3), 2: (256, 512, 4)}.items():
        for block in range(count):
            name, half, squeezed = f"layer{stage}.{block}", after // 2, after // 16
            state |= layer(f"{name}.conv1", half, before, 1, 1) | norm(f"{name}.bn1", half)
            state |= layer(f"{name}.conv2", half, half // 32, 3, 3) | norm(f"{name}.bn2", half)
            state |= layer(f"{name}.conv3", after, half, 1, 1) | norm(f"{name}.bn3", after)
            state |= layer(f"{name}.{gate}1", squeezed, after, 1, 1, bias=squeezed)
            state |= layer(f"{name}.{gate}2", after, squeezed, 1, 1, bias=after)
            if block == 0:
                state |= layer(f"{name}.downsample.0", after, before, 1, 1)
                state |= norm(f"{name}.downsample.1", after)
            before = after
    return state | layer("layer3.0.conv1", 4, 512, 1, 1) | layer("fc", 7, 8, bias=7)


def pfanet_port() -> State:
    """The weights of sairajk's port of PFANet to PyTorch."""
    state: State = {}
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    for number, before, after in zip(numbers, widths, widths[1:], strict=False):
        state |= layer(f"vgg16.{number}", after, before, 3, 3, bias=after)
    for block, channels in ((3, 256), (4, 512), (5, 512)):
        name = f"cpfe_conv{block}_3"
        state |= layer(f"{name}.conv_1_1", 32, channels, 1, 1) | norm(f"{name}.bn", 128)
        for dilation in (3, 5, 7):
            state |= layer(f"{name}.conv_dil_{dilation}", 32, channels, 3, 3)
    state |= layer("cha_att.linear_1", 96, 384, bias=96)
    state |= layer("cha_att.linear_2", 384, 96, bias=384)
    state |= layer("hl_conv1", 64, 384, 3, 3, bias=64) | norm("hl_bn1", 64)
    for number, before in ((1, 64), (2, 128), (3, 128)):
        state |= layer(f"ll_conv_{number}", 64, before, 3, 3, bias=64)
        state |= norm(f"ll_bn_{number}", 64)
    for group, first, second in ((1, "1k", "k1"), (2, "k1", "1k")):
        name = f"spa_att.grp{group}"
        long = {"1k": (1, 9), "k1": (9, 1)}
        state |= layer(f"{name}_conv{first}", 32, 64, *long[first], bias=32)
        state |= layer(f"{name}_conv{second}", 1, 32, *long[second], bias=1)
        state |= norm(f"{name}_bn1", 32) | norm(f"{name}_bn2", 1)
    return state | layer("ff_conv_1", 1, 128, 3, 3, bias=1)


def wrapped(state: State) -> dict[str, object]:
    """As Tag2Pix' file and AlacGAN's checkpoints keep it, from several GPUs."""
    several = {f"module.{key}": tensor for key, tensor in state.items()}
    return {"weight": several, "step": 3}
