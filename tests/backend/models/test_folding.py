from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from backend.models.aaldc import AnimeReferenceColorizer
from backend.models.alacgan import AlacGANColorizer
from backend.models.folding import (
    fast_form,
    fold_batch_norm,
    fold_spectral_norm,
    inference_form,
    to_fast,
)
from backend.models.ibn_gan import ChromaUNet
from backend.models.layers import spectral_norm
from backend.models.line_extractor import LineExtractor
from backend.models.manga import MangaColorizer
from backend.models.smsanet import SMSANet
from backend.models.video import ColorTransformNet, TemporalRefinementNet


def settled(model):
    """Norms with statistics, gains and shifts as after some training; weights as they are."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.1, 0.5)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.3, 0.3)
    return model.eval()


def page(size=(64, 96)):
    return torch.rand(1, 1, *size), torch.rand(1, 1, *size), torch.rand(1, 4, *size)


def shot(size=64, references=2):
    def some(channels):
        return torch.rand(1, references, channels, size, size) * 2 - 1

    return (
        torch.rand(1, 1, size, size) * 2 - 1,
        torch.rand(1, 1, size, size) * 2 - 1,
        some(1),
        some(1),
        some(3),
    )


def pair(size=64):
    return torch.rand(1, 1, size, size) * 2 - 1, torch.rand(1, 3, size, size) * 2 - 1


CASES = {
    "aaldc": (lambda: AnimeReferenceColorizer(width=4, blocks=2), pair),
    "aaldc sga": (lambda: AnimeReferenceColorizer(width=4, encoder_attention="none"), pair),
    "aaldc scft": (
        lambda: AnimeReferenceColorizer(
            width=4, correspondence="scft", encoder_attention="none", encoder_norm="none"
        ),
        pair,
    ),
    "line extractor": (lambda: LineExtractor(width=4), lambda: (torch.rand(1, 3, 64, 64),)),
    "ibn_gan bn": (
        lambda: ChromaUNet(width=8, norm="batch"),
        lambda: (torch.rand(1, 1, 128, 128),),
    ),
    "ibn_gan in": (
        lambda: ChromaUNet(width=8, norm="instance", depth=5),
        lambda: (torch.rand(1, 1, 128, 128),),
    ),
    "ibn_gan ibn": (lambda: ChromaUNet(width=8), lambda: (torch.rand(1, 1, 130, 70),)),
    "ibn_gan split": (
        lambda: ChromaUNet(width=8, ibn_mode="split"),
        lambda: (torch.rand(1, 1, 128, 128),),
    ),
    "video": (lambda: ColorTransformNet(width=8, blocks=2), shot),
    "video sn everywhere": (lambda: ColorTransformNet(width=8, blocks=2, sn_scope="all"), shot),
    "video refinement": (
        lambda: TemporalRefinementNet(width=8),
        lambda: (torch.rand(1, 3, 4, 64, 64) * 2 - 1,),
    ),
    "smsanet": (lambda: SMSANet(width=8, class_head=True), lambda: (torch.rand(1, 1, 64, 64),)),
    "smsanet cbam": (
        lambda: SMSANet(width=8, attention="cbam"),
        lambda: (torch.rand(1, 1, 64, 64),),
    ),
    "manga": (lambda: MangaColorizer(width=4, extractor_width=8), page),
    "alacgan": (lambda: AlacGANColorizer(width=8, extractor_width=8), page),
}


@pytest.mark.parametrize("case", CASES)
@torch.inference_mode()
def test_the_form_for_inference_computes_the_same(case):
    torch.manual_seed(0)
    make, inputs = CASES[case]
    model = settled(make())
    values = inputs()
    before = model(*values).main
    form = inference_form(model)
    after = form(*values).main
    assert before.std() > 1e-3
    assert (after - before).abs().max() < 1e-4
    assert torch.equal(model(*values).main, before), "the original was touched"
    assert not any(parametrize.is_parametrized(module) for module in form.modules())
    fast = fast_form(model, torch.float32)
    assert (fast(*(to_fast(v, torch.float32) for v in values)).main - before).abs().max() < 1e-4


@pytest.mark.parametrize("case", ["ibn_gan bn", "manga", "smsanet", "aaldc"])
@torch.inference_mode()
def test_the_fast_form_stays_close_in_bfloat16(case):
    torch.manual_seed(0)
    make, inputs = CASES[case]
    model = settled(make())
    values = inputs()
    fast = fast_form(model, torch.bfloat16)
    main = fast(*(to_fast(value, torch.bfloat16) for value in values)).main
    assert main.dtype == torch.bfloat16
    assert (main.float() - model(*values).main).abs().mean() < 0.02


def batch_norms(model):
    return sum(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in model.modules())


def test_batch_norm_behind_a_convolution_is_gone():
    assert batch_norms(inference_form(ChromaUNet(width=8, norm="batch"))) == 0
    assert batch_norms(inference_form(LineExtractor(width=4))) == 0
    assert batch_norms(inference_form(MangaColorizer(width=4, extractor_width=8))) == 0
    # behind a ReLU it stays
    plain = SMSANet(width=8, attention="none")
    assert batch_norms(inference_form(plain)) == batch_norms(plain) == 9


def test_training_heads_are_gone():
    assert inference_form(SMSANet(width=8, class_head=True)).class_head is None
    assert inference_form(MangaColorizer(width=4, extractor_width=8)).generator.aux is None
    kept = MangaColorizer(width=4, extractor_width=8)
    inference_form(kept)
    assert kept.generator.aux is not None


def test_nothing_in_the_form_takes_gradients_and_the_original_still_learns():
    model = ChromaUNet(width=4, depth=4)
    form = inference_form(model)
    assert not any(p.requires_grad for p in form.parameters())
    model.train()(torch.rand(2, 1, 32, 32)).main.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert copy.deepcopy(model).state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_neighbours_of_a_sequential_fold(groups, transposed, bias):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    model = settled(nn.Sequential(kind(4, 6, 3, groups=groups, bias=bias), nn.BatchNorm2d(6)))
    x = torch.randn(2, 4, 9, 8)
    before = model(x)
    fold_batch_norm(model)
    assert isinstance(model[1], nn.Identity)
    torch.testing.assert_close(model(x), before, atol=1e-5, rtol=1e-4)


def test_a_norm_that_does_not_follow_directly_stays():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4))
    fold_batch_norm(model)
    assert isinstance(model[2], nn.BatchNorm2d)


def test_a_norm_without_statistics_is_refused():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(ValueError, match="running statistics"):
        fold_batch_norm(model)


@pytest.mark.parametrize(
    "layer", [nn.Linear(5, 4), nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(3, 4, 3)]
)
def test_spectral_norm_becomes_its_weight(layer):
    layer = spectral_norm(layer).eval()
    weight = layer.weight.detach().clone()
    fold_spectral_norm(layer)
    assert torch.equal(layer.weight, weight)
    assert set(dict(layer.named_parameters())) == {"weight", "bias"}
