"""Distances between the features of two pictures.

Learned distance: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric" (2018), version 0.1. Perceptual distance: Gorriz Blanch et al. (2019), equation 7, with the
plain mean of the released code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.errors import TrainingError
from training.features import (
    FIRST_RELUS_19,
    LAST_RELUS_16,
    AlexNetFeatures,
    FeatureExtractor,
    SqueezeNetFeatures,
    VGGFeatures,
    load_squeezenet,
)
from training.pretrained import Degradations, load_state, resolve

LPIPS_NETWORKS = {
    "alex": ("alexnet", (64, 192, 384, 256, 256)),
    "vgg": ("vgg16", (64, 128, 256, 512, 512)),
    "squeeze": ("squeezenet1_1", (64, 128, 256, 384, 384, 512, 512)),
}
PERCEPTUAL_BACKENDS = ("keras", "torchvision", "squeeze", "random")


class LPIPS(nn.Module):
    """Weighted square distance of unit-length features, the mean over places, summed over layers.

    Raises ValueError for an unknown network.
    """

    def __init__(self, network: str = "alex") -> None:
        super().__init__()
        if network not in LPIPS_NETWORKS:
            raise ValueError(f"network is {network!r}; use one of {', '.join(LPIPS_NETWORKS)}")
        self.network = network
        self.trunk: FeatureExtractor
        if network == "alex":
            self.trunk = AlexNetFeatures()
        elif network == "vgg":
            self.trunk = VGGFeatures("vgg16", LAST_RELUS_16)
        else:
            self.trunk = SqueezeNetFeatures()
        widths = LPIPS_NETWORKS[network][1]
        self.heads = nn.ParameterList(
            nn.Parameter(torch.ones(1, width, 1, 1), requires_grad=False) for width in widths
        )

    def load_heads(self, state: dict[str, Tensor], origin: str) -> None:
        """Take the weights of the layers from tensors named ``lin0.model.1.weight`` and so on.

        Raises TrainingError, naming ``origin``, when one is absent or of another shape.
        """
        for index, head in enumerate(self.heads):
            found = state.get(f"lin{index}.model.1.weight")
            if found is None or found.shape != head.shape:
                raise TrainingError(
                    f"{origin} has no fitting weights for layer {index} of LPIPS",
                    "use the file of this very network",
                )
            with torch.no_grad():
                head.copy_(found)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """sRGB pictures (B, 3, H, W) in [-1, 1] -> distances (B,)."""
        distances = [
            ((_unit(a) - _unit(b)).square() * head).sum(1).mean((1, 2))
            for head, a, b in zip(
                self.heads, self.trunk(prediction), self.trunk(target), strict=True
            )
        ]
        return torch.stack(distances).sum(0)


def load_lpips(
    network: str, degradations: Degradations | None = None, *, allow_download: bool = False
) -> LPIPS | None:
    """LPIPS with its weights, or None where those of the trunk or of the heads are absent."""
    trunk_name = LPIPS_NETWORKS[network][0]
    trunk = resolve(trunk_name, allow_download=allow_download)
    heads = resolve(f"lpips_{network}")
    if trunk is None or heads is None:
        return None
    metric = LPIPS(network)
    metric.trunk.load(load_state(trunk), str(trunk))
    metric.load_heads(load_state(heads), str(heads))
    if degradations is not None:
        degradations.use(trunk_name, trunk)
        degradations.use(f"lpips_{network}", heads)
    return metric


class PerceptualDistance(nn.Module):
    """Mean absolute difference of features at 224 x 224, the mean over the layers."""

    side = 224

    def __init__(self, features: FeatureExtractor) -> None:
        super().__init__()
        self.features = features

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """sRGB pictures (B, 3, H, W) in [-1, 1] -> distances (B,)."""
        maps = zip(self._maps(prediction), self._maps(target), strict=True)
        return torch.stack([(a - b).abs().mean((1, 2, 3)) for a, b in maps]).mean(0)

    def _maps(self, images: Tensor) -> list[Tensor]:
        size = (self.side, self.side)
        if images.shape[-2:] != size:
            images = functional.interpolate(
                images, size, mode="bicubic", antialias=True, align_corners=False
            )
        maps: list[Tensor] = self.features(images)
        return maps


def load_perceptual(
    backend: str,
    degradations: Degradations | None = None,
    *,
    allow_download: bool = False,
    seed: int = 0,
) -> PerceptualDistance | None:
    """The perceptual distance on one of `PERCEPTUAL_BACKENDS`; None where its weights are absent.

    ``keras`` is VGG-19 with Keras' weights and input scale, the one that the paper's numbers are
    on; ``torchvision`` VGG-19 with torchvision's; ``squeeze`` SqueezeNet; ``random`` VGG-19 with
    weights from a seed. Their values compare with their own alone.

    Raises ValueError for an unknown backend.
    """
    if backend not in PERCEPTUAL_BACKENDS:
        raise ValueError(f"backend is {backend!r}; use one of {', '.join(PERCEPTUAL_BACKENDS)}")
    if backend == "squeeze":
        squeezenet = load_squeezenet(degradations=degradations)
        return None if squeezenet is None else PerceptualDistance(squeezenet)
    network = VGGFeatures("vgg19", FIRST_RELUS_19, "caffe" if backend == "keras" else "imagenet")
    if backend == "random":
        network.randomise(seed)
        return PerceptualDistance(network)
    name = "vgg19_keras" if backend == "keras" else "vgg19"
    path = resolve(name, allow_download=allow_download)
    if path is None:
        return None
    network.load(load_state(path), str(path))
    if degradations is not None:
        degradations.use(name, path)
    return PerceptualDistance(network)


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
