"""Metrics by name over a whole data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.metrics import chroma, deep, frechet, quality, regions
from training.metrics.value import MetricValue, unavailable
from training.pretrained import Degradations

_PLAIN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "psnr": quality.psnr,
    "ssim": quality.ssim,
    "ms_ssim": quality.ms_ssim,
    "mse": quality.mse,
    "ab_l1": chroma.ab_l1,
    "ab_psnr": chroma.ab_psnr,
}
_LPIPS = {"lpips": "alex", "lpips_vgg": "vgg", "lpips_squeeze": "squeeze"}
_PERCEPTUAL = {
    "perceptual": "keras",
    "perceptual_torchvision": "torchvision",
    "perceptual_squeeze": "squeeze",
    "perceptual_random": "random",
}
# what is measured in the place of a metric whose network is absent, the first that can be
STAND_INS = {
    "fid": ("fid_squeeze",),
    "lpips": ("lpips_squeeze",),
    "perceptual": ("perceptual_torchvision", "perceptual_squeeze", "perceptual_random"),
    "perceptual_torchvision": ("perceptual_squeeze", "perceptual_random"),
}
# values that another metric gives, by what they are called
PARTS = dict.fromkeys(chroma.ChromaHistograms.names, "ab_histogram")
NAMES = (
    *_PLAIN, *_LPIPS, "fid", "fid_squeeze", *_PERCEPTUAL, "ab_histogram", "region_accuracy",
)  # fmt: skip


class _Accumulator(Protocol):
    def compute(self) -> list[MetricValue]: ...


class _Mean:
    """The mean over pictures; a picture that the metric refuses makes it unavailable."""

    def __init__(self, name: str, metric: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.name = name
        self.metric = metric
        self.values: list[float] = []
        self.refusal = ""

    def update(self, prediction: Tensor, target: Tensor) -> None:
        if self.refusal:
            return
        try:
            self.values += self.metric(prediction, target).tolist()
        except ValueError as error:
            self.refusal = str(error)

    def compute(self) -> list[MetricValue]:
        if self.refusal or not self.values:
            return [unavailable(self.name, self.refusal or "no pictures")]
        return [MetricValue(self.name, float(np.mean(self.values)), len(self.values))]


class _Regions:
    """Both families of region measures, each as the mean over the pictures that have a share."""

    def __init__(self) -> None:
        self.shares: dict[str, list[float]] = defaultdict(list)

    def update(self, prediction: Tensor, target: Tensor, labels: Tensor) -> None:
        pictures = (x.cpu().permute(0, 2, 3, 1).contiguous().numpy() for x in (prediction, target))
        for ours, truth, ids in zip(*pictures, labels.cpu().numpy(), strict=True):
            for measure in (regions.exact_accuracy, regions.near_accuracy):
                for name, share in measure(ours, truth, ids).items():
                    self.shares[name].append(share)

    def compute(self) -> list[MetricValue]:
        return [
            MetricValue(name, float(np.mean(self.shares[name])), len(self.shares[name]))
            if self.shares[name]
            else unavailable(name, "no picture has such regions")
            for name in (*regions.EXACT_NAMES, *regions.NEAR_NAMES)
        ]


class Evaluator:
    """Measures pictures batch by batch; a metric whose network is absent says so.

    ``names`` are of `NAMES`; ``ab_histogram`` and ``region_accuracy`` give several values. In the
    place of an absent network's metric a stand-in is measured as well, under its own name, unless
    ``stand_ins`` is False. ``perceptual_backend`` says which network ``perceptual`` means (keras,
    torchvision, squeeze or random); the value's name tells.

    Raises TrainingError for an unknown name.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        degradations: Degradations | None = None,
        allow_download: bool = False,
        device: torch.device | str = "cpu",
        perceptual_backend: str = "keras",
        stand_ins: bool = True,
        seed: int = 0,
    ) -> None:
        unknown = [name for name in names if name not in NAMES]
        if unknown:
            raise TrainingError(
                f"no metric is called {unknown[0]!r}", f"use some of {', '.join(NAMES)}"
            )
        self.degradations = Degradations() if degradations is None else degradations
        self.allow_download = allow_download
        self.device = torch.device(device)
        self.seed = seed
        self._plain: list[_Mean] = []
        self._deep: list[_Mean] = []
        self._frechet: list[frechet.FrechetDistance] = []
        self._histograms: list[chroma.ChromaHistograms] = []
        self._regions: list[_Regions] = []
        self._absent: list[MetricValue] = []
        backends = {backend: name for name, backend in _PERCEPTUAL.items()}
        if perceptual_backend not in backends:
            raise TrainingError(
                f"no perceptual backend is called {perceptual_backend!r}",
                f"use one of {', '.join(backends)}",
            )
        chosen = [backends[perceptual_backend] if n == "perceptual" else n for n in names]
        for name in dict.fromkeys(chosen):
            self._add(name, (*STAND_INS.get(name, ()),) if stand_ins else (), chosen)

    @torch.inference_mode()
    def update(
        self,
        prediction: Tensor,
        target: Tensor,
        regions: Tensor | None = None,
        fid_reference: Tensor | None = None,
    ) -> None:
        """Add RGB pictures (B, 3, H, W), 8-bit; ``regions`` (B, H, W), 0 on lines.

        ``fid_reference`` are the pictures that the Frechet distance compares with, where they are
        not the target.

        Raises TypeError when pictures are not 8-bit, ValueError when two differ in shape.
        """
        if prediction.dtype != torch.uint8 or target.dtype != torch.uint8:
            raise TypeError("metrics are of 8-bit pictures")
        if prediction.shape != target.shape:
            raise ValueError(
                f"predictions are {tuple(prediction.shape)}, targets {tuple(target.shape)}"
            )
        with torch.autocast(self.device.type, enabled=False):
            self._measure(prediction, target, regions, fid_reference)

    def compute(self) -> dict[str, MetricValue]:
        """The values by name, those that are unavailable among them with their reason."""
        parts: list[_Accumulator] = [
            *self._plain, *self._deep, *self._frechet, *self._histograms, *self._regions,
        ]  # fmt: skip
        values = [value for part in parts for value in part.compute()]
        return {value.name: value for value in (*values, *self._absent)}

    def spread(self) -> dict[str, list[tuple[int, float]]]:
        """The curves of ``ab_histogram``, see `ChromaHistograms.curves`; empty without it."""
        return (
            self._histograms[0].curves() if self._histograms and self._histograms[0].count else {}
        )

    def _measure(
        self,
        prediction: Tensor,
        target: Tensor,
        regions: Tensor | None,
        fid_reference: Tensor | None,
    ) -> None:
        prediction, target = prediction.to(self.device), target.to(self.device)
        for metric in self._plain:
            metric.update(prediction, target)
        for histograms in self._histograms:
            histograms.update(prediction, target)
        if regions is not None:
            for measure in self._regions:
                measure.update(prediction, target, regions)
        if self._deep or self._frechet:
            ours, truth = _signed(prediction), _signed(target)
            for metric in self._deep:
                metric.update(ours, truth)
            reference = truth if fid_reference is None else _signed(fid_reference.to(self.device))
            for distance in self._frechet:
                distance.update(ours, reference)

    def _add(self, name: str, stand_ins: Sequence[str], chosen: Sequence[str]) -> None:
        if name in _PLAIN:
            self._plain.append(_Mean(name, _PLAIN[name]))
        elif name == "ab_histogram":
            self._histograms.append(chroma.ChromaHistograms())
        elif name == "region_accuracy":
            self._regions.append(_Regions())
        elif not self._add_network(name):
            reason = f"the weights of {_network(name)} are absent"
            self._absent.append(unavailable(name, reason))
            self.degradations.note(name, "unavailable", reason)
            for stand_in in stand_ins:
                if stand_in in chosen or self._add_network(stand_in):
                    break

    def _add_network(self, name: str) -> bool:
        network: nn.Module | None
        if name in _LPIPS:
            network = deep.load_lpips(
                _LPIPS[name], self.degradations, allow_download=self.allow_download
            )
        elif name in _PERCEPTUAL:
            network = deep.load_perceptual(
                _PERCEPTUAL[name],
                self.degradations,
                allow_download=self.allow_download,
                seed=self.seed,
            )
        elif name == "fid":
            network = frechet.load_inception(self.degradations, allow_download=self.allow_download)
        else:
            network = frechet.load_pooled_squeezenet(self.degradations)
        if network is None:
            return False
        network = network.to(self.device)
        if name in ("fid", "fid_squeeze"):
            self._frechet.append(frechet.FrechetDistance(name, network, self.degradations))
        else:
            self._deep.append(_Mean(name, network))
        return True


def _network(name: str) -> str:
    if name in _LPIPS:
        return f"{deep.LPIPS_NETWORKS[_LPIPS[name]][0]} or of its LPIPS layers"
    if name in _PERCEPTUAL:
        return {"keras": "Keras' VGG-19", "torchvision": "vgg19"}.get(
            _PERCEPTUAL[name], "squeezenet1_1"
        )
    return "inception_fid" if name == "fid" else "squeezenet1_1"


def _signed(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1
