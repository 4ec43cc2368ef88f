"""The networks of the five papers as they are measured: size, input, and the figures beside.

``Anchor`` has what the specifications measured of the authors' code, or of a transcription of it,
on another machine: two and one thread, fp32, random weights, batch 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.aaldc import AnimeReferenceColorizer
from backend.models.alacgan import AlacGANGenerator
from backend.models.ffdnet import PUBLISHED, FFDNet
from backend.models.ibn_gan import ChromaUNet
from backend.models.line_extractor import LineExtractor
from backend.models.manga import MangaColorizer
from backend.models.seresnext import SEResNeXtFeatures
from backend.models.smsanet import SMSANet
from backend.models.video import ColorTransformNet, TemporalRefinementNet
from training.critics import named_critic

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Anchor:
    """Milliseconds and size of what stands beside."""

    parameters: int
    gmac: float
    two_threads: float
    one_thread: float | None


@dataclass(frozen=True)
class Case:
    """One row. ``keep`` computes what a program keeps between calls (a reference, a page);
    ``again`` is a call with that: model, inputs, what was kept."""

    name: str
    anchor: Anchor
    build: Callable[[], nn.Module]
    inputs: Callable[[], Inputs]
    keep: Callable[[Any, Inputs], Any] | None = None
    again: Callable[[Any, Inputs, Any], Any] | None = None


def picture(channels: int, *size: int) -> Tensor:
    """Values in [-1, 1], batch 1."""
    return torch.rand(1, channels, *size) * 2 - 1


def shot(size: int = 256, references: int = 2) -> Inputs:
    """Inputs of the colour transform: line, distance, then the references."""
    each = [torch.rand(1, references, channels, size, size) * 2 - 1 for channels in (1, 1, 3)]
    return picture(1, size, size), picture(1, size, size), *each


def page(height: int, width: int) -> Inputs:
    """Lines, distances and a hint of a page."""
    return tuple(torch.rand(1, channels, height, width) for channels in (1, 1, 4))


def _aaldc(name: str, anchor: Anchor, **options: Any) -> Case:
    return Case(
        f"aaldc: {name}, 256",
        anchor,
        lambda: AnimeReferenceColorizer(**options),
        lambda: (picture(1, 256, 256), picture(3, 256, 256)),
        lambda model, inputs: model.encode_references(inputs[1]),
        lambda model, inputs, kept: model.forward_with(inputs[0], kept),
    )


def _manga(name: str, anchor: Anchor, height: int) -> Case:
    return Case(
        f"manga: E + G release, {name}",
        anchor,
        lambda: MangaColorizer(size="release"),
        lambda: page(height, 512),
        lambda model, inputs: model.encode_page(inputs[0]),
        lambda model, inputs, kept: model(*inputs, kept),
    )


def _ffdnet(name: str, anchor: Anchor, network: str) -> Case:
    options = PUBLISHED[network]
    return Case(
        f"manga: FFDNet {name}, 512",
        anchor,
        lambda: FFDNet(**options),
        lambda: (torch.rand(1, options["channels"], 512, 512), torch.full((1, 1, 1, 1), 25 / 255)),
    )


def _critic(name: str, anchor: Anchor, form: str, inputs: Callable[[], Inputs], **o: Any) -> Case:
    return Case(name, anchor, lambda: named_critic(form, o), inputs)


def _vgg() -> nn.Module:
    """VGG-19 to relu5_4: the same network as in the specifications, hence the yardstick."""
    layers: list[nn.Module] = []
    before = 3
    for block, (width, count) in enumerate([(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)]):
        layers += [nn.MaxPool2d(2)] if block else []
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
            before = width
    return nn.Sequential(*layers)


YARDSTICK = Case(
    "VGG-19 to relu5_4, 256",
    Anchor(20_024_384, 25.5, 261, 500),
    _vgg,
    lambda: (picture(3, 256, 256),),
)

CASES = (
    _aaldc("G ours", Anchor(83_952_507, 26.1, 340, 653)),
    _aaldc("G SGA row", Anchor(83_906_899, 26.1, 299, 670), encoder_attention="none"),
    _aaldc(
        "G SCFT row",
        Anchor(82_913_907, 25.7, 370, 655),
        correspondence="scft",
        encoder_attention="none",
        encoder_norm="none",
    ),
    _critic("aaldc: D", Anchor(175_584, 0.1, 2.4, 3.5), "aaldc", lambda: (picture(4, 256, 256),)),
    Case(
        "aaldc: line extractor, 256",
        Anchor(7_849_601, 14.0, 171, 313),
        LineExtractor,
        lambda: (picture(3, 256, 256),),
    ),
    Case(
        "ibn_gan: G bn, no SN, 256",
        Anchor(41_830_402, 17.9, 243, 499),
        lambda: ChromaUNet(norm="batch", spectral=False),
        lambda: (picture(1, 256, 256),),
    ),
    Case(
        "ibn_gan: G ibn + SN, 256",
        Anchor(41_830_402, 17.9, 266, 582),
        ChromaUNet,
        lambda: (picture(1, 256, 256),),
    ),
    _critic(
        "ibn_gan: D 70x70, ibn + SN",
        Anchor(2_766_529, 3.3, 38, 72),
        "ibn_gan",
        lambda: (picture(3, 256, 256),),
        norm="ibn",
        spectral=True,
        critics=1,
    ),
    _critic(
        "ibn_gan: D x3 scales, ibn + SN",
        Anchor(8_299_587, 4.3, 59, 105),
        "ibn_gan",
        lambda: (picture(3, 256, 256),),
        norm="ibn",
        spectral=True,
        critics=3,
    ),
    Case(
        "video: CTN, K=2, 256",
        Anchor(19_802_409, 113.8, 1345, 2761),
        ColorTransformNet,
        shot,
        lambda model, inputs: model.encode_references(*inputs[2:]),
        lambda model, inputs, kept: model.forward_with(*inputs[:2], kept),
    ),
    _critic("video: D", Anchor(2_765_761, 3.2, 37, 69), "video", lambda: (picture(4, 256, 256),)),
    Case(
        "video: TRN, T=8, 256",
        Anchor(7_522_370, 137.8, 2928, 5138),
        TemporalRefinementNet,
        lambda: (torch.rand(1, 8, 4, 256, 256) * 2 - 1,),
    ),
    _critic(
        "video: temporal D, T=8",
        Anchor(2_674_335, 17.4, 192, 362),
        "video_temporal",
        lambda: (torch.rand(1, 8, 3, 256, 256) * 2 - 1,),
    ),
    Case(
        "smsanet: BaseNet, 256",
        Anchor(34_049_346, 75.1, 735, 1499),
        lambda: SMSANet(attention="none"),
        lambda: (picture(1, 256, 256),),
    ),
    Case(
        "smsanet: SMSANet, 256",
        Anchor(34_182_834, 75.1, 741, 1500),
        SMSANet,
        lambda: (picture(1, 256, 256),),
    ),
    Case(
        "smsanet: siggraph17 layout",
        Anchor(34_187_027, 75.8, 733, 1496),
        lambda: SMSANet(attention="none", in_channels=4, class_head=True),
        lambda: (picture(4, 256, 256),),
    ),
    _manga("512", Anchor(33_372_938, 95.9, 1390, 2777), 512),
    _manga("736 x 512", Anchor(33_372_938, 137.8, 2313, 4024), 736),
    Case(
        "manga: E alone, 512",
        Anchor(1_564_784, 9.2, 161, 299),
        SEResNeXtFeatures,
        lambda: (torch.rand(1, 1, 512, 512),),
    ),
    _critic(
        "manga: D release, 512",
        Anchor(2_027_744, 5.6, 176, 306),
        "manga",
        lambda: (picture(3, 512, 512),),
        release=True,
    ),
    Case(
        "manga: AlacGAN G, 512",
        Anchor(21_936_003, 60.9, 924, 1674),
        AlacGANGenerator,
        lambda: (picture(1, 512, 512), picture(4, 128, 128), picture(512, 32, 32)),
    ),
    _critic(
        "manga: AlacGAN D, 512",
        Anchor(10_612_033, 13.0, 260, 446),
        "alacgan",
        lambda: (picture(3, 512, 512), picture(512, 32, 32)),
    ),
    _ffdnet("colour", Anchor(852_108, 55.8, 543, 1082), "ffdnet_color"),
    _ffdnet("grey", Anchor(485_316, 31.7, 332, 624), "ffdnet_gray"),
)
