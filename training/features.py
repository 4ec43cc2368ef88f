"""Frozen feature networks in plain torch, with torchvision's names of the weights.

VGG-16 and VGG-19: Simonyan and Zisserman, "Very Deep Convolutional Networks" (2015), table 1,
columns D and E. SqueezeNet 1.1: Iandola et al., "SqueezeNet" (2016). AlexNet: Krizhevsky, "One
weird trick for parallelizing convolutional neural networks" (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.pretrained import Degradations, load_state, resolve

INPUT_MODES = ("raw", "unit", "imagenet", "caffe")
OFFLINE_RULES = ("none", "random", "squeezenet")
FIRST_RELUS_19 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
LAST_RELUS_19 = ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4")
LAST_RELUS_16 = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_WIDTHS = (64, 128, 256, 512, 512)
VGG_DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
# ends of the slices at which LPIPS taps the two smaller networks, as indices into `features`
_SQUEEZENET_TAPS = (1, 4, 7, 9, 10, 11, 12)
_ALEXNET_TAPS = (1, 4, 7, 9, 11)
# the slice of SqueezeNet that stands in for a tap in each of VGG's five blocks
_STAND_INS = (0, 1, 2, 4, 6)


class FeatureExtractor(nn.Module):
    """A frozen stack of layers that gives the maps after some of them, in one pass.

    ``forward`` takes sRGB images (B, 3, H, W) in [-1, 1] and returns one map for each tap, in the
    order of ``taps``. ``input_mode`` says what the first layer sees: ``raw`` the images as they
    are, ``unit`` [0, 1], ``imagenet`` [0, 1] with ImageNet's mean and deviation taken out,
    ``caffe`` BGR in 0..255 with the mean taken out.

    Raises ValueError for an unknown input mode.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, layers: Sequence[nn.Module], taps: Sequence[int], input_mode: str) -> None:
        super().__init__()
        if input_mode not in INPUT_MODES:
            raise ValueError(f"input_mode is {input_mode!r}; use one of {', '.join(INPUT_MODES)}")
        if not taps:
            raise ValueError("taps is empty; name at least one layer")
        self.features = nn.Sequential(*layers[: max(taps) + 1])
        self.tap_indices = tuple(taps)
        self.input_mode = input_mode
        caffe = input_mode == "caffe"
        mean = _CAFFE_MEAN_BGR if caffe else _IMAGENET_MEAN
        deviation = (1.0, 1.0, 1.0) if caffe else _IMAGENET_DEVIATION
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False
        )
        self.requires_grad_(False)
        self.eval()

    def prepare(self, images: Tensor) -> Tensor:
        """What the first layer sees of images in [-1, 1]."""
        if self.input_mode == "raw":
            return images
        images = (images + 1) / 2
        if self.input_mode == "unit":
            return images
        if self.input_mode == "caffe":
            images = images.flip(1) * 255
        return (images - self.mean) / self.deviation

    def forward(self, images: Tensor) -> list[Tensor]:
        maps: dict[int, Tensor] = {}
        x = self.prepare(images)
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.tap_indices:
                maps[index] = x
        return [maps[index] for index in self.tap_indices]

    def train(self, mode: bool = True) -> FeatureExtractor:
        """Stays as it is: the network is frozen."""
        return super().train(False)

    def load(self, state: Mapping[str, Tensor], origin: str) -> None:
        """Take the weights of the layers that exist here; the rest of ``state`` is left.

        Raises TrainingError, naming ``origin``, when one is absent or of another shape.
        """
        own = self.features.state_dict(prefix="features.")
        wrong = [k for k, v in own.items() if k not in state or state[k].shape != v.shape]
        if wrong:
            raise TrainingError(
                f"{origin} has no fitting weights for {wrong[0]}",
                "use the file of this very network",
            )
        self.load_state_dict({k: state[k] for k in own})

    def randomise(self, seed: int) -> None:
        """Weights from a seed: He-normal, biases zero; Gram statistics still carry texture."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.features.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


class VGGFeatures(FeatureExtractor):
    """VGG-16 or VGG-19 up to the last of ``taps``, named ``relu<block>_<layer>``.

    Raises ValueError for an unknown network, tap or input mode.
    """

    def __init__(self, arch: str, taps: Sequence[str], input_mode: str = "imagenet") -> None:
        if arch not in VGG_DEPTHS:
            raise ValueError(f"arch is {arch!r}; use one of {', '.join(VGG_DEPTHS)}")
        layers: list[nn.Module] = []
        positions: dict[str, int] = {}
        channels = 3
        for block, (width, depth) in enumerate(zip(_WIDTHS, VGG_DEPTHS[arch], strict=True), 1):
            for layer in range(1, depth + 1):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                positions[f"relu{block}_{layer}"] = len(layers) - 1
                channels = width
            layers.append(nn.MaxPool2d(2))
        unknown = [tap for tap in taps if tap not in positions]
        if unknown:
            raise ValueError(f"{arch} has no {unknown[0]!r}; its taps are {', '.join(positions)}")
        super().__init__(layers, [positions[tap] for tap in taps], input_mode)


class Fire(nn.Module):
    """SqueezeNet's module: 1x1 squeeze, then 1x1 and 3x3 side by side, each with ReLU."""

    def __init__(self, channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()


class SqueezeNetFeatures(FeatureExtractor):
    """SqueezeNet 1.1; ``taps`` are the numbers 0..6 of the slices that LPIPS reads."""

    def __init__(self, taps: Sequence[int] = range(7), input_mode: str = "imagenet") -> None:
        layers = [
            nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, ceil_mode=True), Fire(64, 16, 64), Fire(128, 16, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True), Fire(128, 32, 128), Fire(256, 32, 128),
            nn.MaxPool2d(3, 2, ceil_mode=True), Fire(256, 48, 192), Fire(384, 48, 192),
            Fire(384, 64, 256), Fire(512, 64, 256),
        ]  # fmt: skip
        super().__init__(layers, [_SQUEEZENET_TAPS[tap] for tap in taps], input_mode)


class AlexNetFeatures(FeatureExtractor):
    """AlexNet's five convolutions with ReLU; ``taps`` are their numbers 0..4."""

    def __init__(self, taps: Sequence[int] = range(5), input_mode: str = "imagenet") -> None:
        layers = [
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True),
        ]  # fmt: skip
        super().__init__(layers, [_ALEXNET_TAPS[tap] for tap in taps], input_mode)


def load_features(
    arch: str,
    taps: Sequence[str],
    *,
    input_mode: str = "imagenet",
    offline: str = "none",
    degradations: Degradations,
    terms: Sequence[str] = ("perceptual",),
    allow_download: bool = False,
    seed: int = 0,
) -> FeatureExtractor | None:
    """A pretrained VGG for the loss ``terms``, or what the offline rule puts in its place.

    When the weights are absent, ``offline`` decides: ``none`` returns None (the terms are 0),
    ``random`` a VGG with weights from ``seed``, ``squeezenet`` SqueezeNet's features tapped at
    the same five depths and seen through ImageNet's normalisation (``none`` when its file is
    absent, too). What was done is noted in ``degradations`` for every term.

    Raises ValueError for an unknown network, tap, mode or rule; TrainingError for a damaged file.
    """
    if offline not in OFFLINE_RULES:
        raise ValueError(f"offline is {offline!r}; use one of {', '.join(OFFLINE_RULES)}")
    network = VGGFeatures(arch, taps, input_mode)
    path = resolve(arch, allow_download=allow_download)
    if path is not None:
        network.load(load_state(path), str(path))
        degradations.use(arch, path)
        return network
    reason = f"the weights of {arch} are absent"
    replacement: FeatureExtractor | None = None
    state = "none"
    if offline == "random":
        network.randomise(seed)
        replacement, state = network, "random"
    elif offline == "squeezenet":
        replacement = load_squeezenet(
            [_STAND_INS[int(tap[len("relu")]) - 1] for tap in taps], degradations
        )
        state = "none" if replacement is None else "squeezenet"
    for term in terms:
        degradations.note(term, state, reason)
    return replacement


def load_squeezenet(
    taps: Sequence[int] = range(7), degradations: Degradations | None = None
) -> SqueezeNetFeatures | None:
    """SqueezeNet 1.1 with its ImageNet weights, or None when they are absent."""
    path = resolve("squeezenet1_1")
    if path is None:
        return None
    network = SqueezeNetFeatures(taps)
    network.load(load_state(path), str(path))
    if degradations is not None:
        degradations.use("squeezenet1_1", path)
    return network
