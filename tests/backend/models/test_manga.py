from __future__ import annotations

import pytest
import torch
from torch import nn

from backend.models import alacgan, manga
from backend.models.alacgan import AlacGANColorizer, AlacGANGenerator, quarter_hint
from backend.models.manga import MangaColorizer, MangaGenerator
from backend.models.seresnext import SEResNeXtBlock, SEResNeXtFeatures
from tests.backend.models.counting import parameters, parameters_of


def page(height=64, width=96, batch=1):
    torch.manual_seed(0)
    line = torch.rand(batch, 1, height, width)
    return line, torch.rand(batch, 1, height, width), torch.zeros(batch, 4, height, width)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (SEResNeXtFeatures, 1_564_784),
        (lambda: MangaGenerator(size="release"), 31_808_154),
        (lambda: MangaGenerator(size="paper"), 32_015_314),
        (lambda: MangaColorizer(size="release"), 33_372_938),
        (AlacGANGenerator, 21_936_003),
    ],
)
def test_parameters_equal_the_papers(make, count):
    assert parameters_of(make) == count


@pytest.mark.parametrize(
    ("channels", "groups", "count"),
    [(512, 32, 313_888), (256, 32, 78_608), (128, 32, 19_720), (64, 16, 5_252)],
)
def test_parameters_of_the_blocks(channels, groups, count):
    assert parameters(SEResNeXtBlock(channels, groups)) == count


def test_blocks_keep_or_halve_the_map():
    x = torch.randn(1, 16, 12, 8)
    assert SEResNeXtBlock(16, 4, dilation=4)(x).shape == x.shape
    assert SEResNeXtBlock(16, 4, stride=2, spectral=True)(x).shape == (1, 16, 6, 4)
    with pytest.raises(ValueError, match="stride"):
        SEResNeXtBlock(16, stride=3)


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_gradients_of_a_block_in_bf16_and_channels_last(dilation):
    torch.manual_seed(0)
    block = SEResNeXtBlock(32, 16, dilation=dilation)
    x = torch.randn(2, 32, 48, 48)
    block(x).square().sum().backward()
    exact = block.middle.weight.grad.clone()
    block.zero_grad()
    block.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        output = block(x.to(memory_format=torch.channels_last))
    output.float().square().sum().backward()
    assert (block.middle.weight.grad - exact).norm() < 0.05 * exact.norm()


def test_block_without_a_middle_is_its_shortcut():
    block = SEResNeXtBlock(16, 4, stride=2)
    nn.init.zeros_(block.expand.weight)
    x = torch.randn(1, 16, 12, 8)
    torch.testing.assert_close(block(x), nn.functional.avg_pool2d(x, 2))


def test_dilations_of_the_sizes():
    def dilations(model):
        stages = [stage[2] for stage in model.decoders]
        return [[block.middle.dilation[0] for block in stage] for stage in stages]

    eight, ten = [1, 1, 2, 2, 4, 4, 2, 1], [1, 1, 2, 2, 4, 4, 2, 2, 1, 1]
    release = dilations(MangaGenerator(width=4, size="release"))
    assert release == [[1] * 20, eight, eight, [1, 2, 4, 2, 1]]
    paper = dilations(MangaGenerator(width=4))
    assert paper == [[1] * 20, ten, ten, [1, 2, 2, 4, 2, 2, 1]]
    assert dilations(MangaGenerator(width=4, t4_dilation=True))[0] == ten * 2
    compact = MangaGenerator(width=4, size="compact")
    assert sum(map(len, dilations(compact))) == 14
    with pytest.raises(ValueError, match="t4_dilation"):
        MangaGenerator(width=4, size="compact", t4_dilation=True)


def test_no_norm_in_the_generator():
    norms = (nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm)
    assert not any(isinstance(m, norms) for m in MangaGenerator(width=4).modules())


SMALL = {"width": 4, "extractor_width": 8}


@pytest.mark.parametrize("size", [(64, 96), (70, 33)])
def test_aux_colours_exist_in_training_alone(size):
    model = MangaColorizer(**SMALL)
    output = model(*page(*size))
    assert output.main.shape == output.aux.shape == (1, 3, *size)
    assert output.main.abs().max() <= 1
    assert model.eval()(*page(*size)).aux is None


def test_extractor_stays_frozen_while_the_generator_learns():
    model = MangaColorizer(**SMALL).train()
    before = {key: value.clone() for key, value in model.extractor.state_dict().items()}
    output = model(*page())
    (output.main.square().sum() + output.aux.square().sum()).backward()
    assert all(p.grad is None and not p.requires_grad for p in model.extractor.parameters())
    assert all(p.grad is not None for p in model.generator.parameters())
    after = model.extractor.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not model.extractor.net.training


def test_a_trainable_extractor_learns():
    model = MangaColorizer(**SMALL, extractor_trainable=True).train()
    model(*page()).main.square().sum().backward()
    assert all(p.grad is not None for p in model.extractor.parameters())


@pytest.mark.parametrize("kind", [MangaColorizer, AlacGANColorizer])
def test_features_of_a_page_serve_every_hint(kind):
    model = kind(width=8, extractor_width=8).eval()
    line, distance, hint = page(70, 50)
    features = model.encode_page(line)
    for value in (0.0, 1.0):
        hint = torch.full_like(hint, value)
        whole = model(line, distance, hint).main
        assert torch.equal(model(line, distance, hint, features).main, whole)


def test_alacgan_has_the_same_call_and_sees_no_distance():
    model = AlacGANColorizer(width=8, extractor_width=8).eval()
    line, distance, hint = page()
    output = model(line, distance, hint)
    assert output.main.shape == (1, 3, 64, 96)
    assert output.features.shape == (1, 64, 4, 6)
    assert torch.equal(model(line, 1 - distance, hint).main, output.main)
    hint[:, :, 10, 10] = 1
    assert not torch.equal(model(line, distance, hint).main, output.main)


def test_a_hint_keeps_its_colour_at_a_quarter_of_the_size():
    hint = torch.zeros(1, 4, 8, 8)
    hint[0, :, 1, 2] = torch.tensor([0.5, -0.25, 1.0, 1.0])
    hint[0, :, 5, 5] = hint[0, :, 6, 6] = torch.tensor([0.5, -0.25, 1.0, 1.0])
    small = quarter_hint(hint)
    assert small.shape == (1, 4, 2, 2)
    for row, column in ((0, 0), (1, 1)):
        assert small[0, :, row, column].tolist() == [0.5, -0.25, 1.0, 1.0]
    assert not small[0, :, 0, 1].any()


@pytest.mark.parametrize(
    ("release", "make"),
    [
        (manga.from_release, lambda: MangaGenerator(width=4, size="release")),
        (alacgan.from_release, lambda: AlacGANGenerator(width=8)),
    ],
)
def test_public_keys_are_ours_under_other_names(release, make):
    model = make()
    heads = {"features": "feature_conv.network", "aux": "deconv_for_decoder", "hint": "toH"}
    heads |= {f"encoders.{level}": f"to{level}" for level in range(5)}
    heads |= {f"decoders.{stage}": f"tunnel{4 - stage}" for stage in range(4)}
    parts = {new: old for old, new in manga.PARTS.items()}
    public = {}
    for key, value in model.state_dict().items():
        for ours, theirs in heads.items():
            key = theirs + key[len(ours) :] if key.startswith(f"{ours}.") else key
        for ours, theirs in parts.items():
            key = key.replace(f".{ours}.", f".{theirs}.")
        public[key] = value
    renamed = release(public)
    assert renamed.keys() == model.state_dict().keys()
    with pytest.raises(ValueError, match="stem"):
        release({"stem.weight": torch.zeros(1)})


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="size"):
        MangaColorizer(size="big")
    with pytest.raises(ValueError, match="width"):
        MangaGenerator(width=2)
    with pytest.raises(ValueError, match="width"):
        AlacGANGenerator(width=7)
