"""The Frechet distance between the features of two sets of pictures.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (2017), equation 6.
"""

from __future__ import annotations

import torch
from scipy import linalg
from torch import Tensor, nn
from torch.nn import functional

from training.errors import TrainingError
from training.features import FeatureExtractor, load_squeezenet
from training.metrics.value import MetricValue, unavailable
from training.pretrained import Degradations, load_state, resolve
from training.torchvision_shim import import_pytorch_fid, import_torchvision


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """|mean1 - mean2|^2 + Tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2)), in double precision.

    The trace of the root is the sum of the roots of the eigenvalues of the symmetric
    cov1^(1/2) cov2 cov1^(1/2), which needs no root of a matrix that is not symmetric and stands
    singular covariances.
    """
    mean1, cov1, mean2, cov2 = (x.double() for x in (mean1, cov1, mean2, cov2))
    values, vectors = _eigen(cov1)
    root = (vectors * _roots(values)) @ vectors.mT
    product = root @ cov2 @ root
    trace_of_root = _roots(_eigen((product + product.mT) / 2)[0]).sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace_of_root
    return float(distance)


def _eigen(symmetric: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors by plain QR: divide and conquer may fail on singular matrices.

    Raises TrainingError when a feature is not a number.
    """
    if not bool(torch.isfinite(symmetric).all()):
        raise TrainingError(
            "the features of a picture are not numbers", "look at the pictures of the run"
        )
    values, vectors = linalg.eigh(symmetric.numpy(), driver="ev")
    return torch.from_numpy(values), torch.from_numpy(vectors)


def _roots(eigenvalues: Tensor) -> Tensor:
    """Square roots; what is below rounding error is zero, or its roots would add up."""
    noise = eigenvalues.max() * eigenvalues.numel() * torch.finfo(eigenvalues.dtype).eps
    return torch.where(eigenvalues > noise, eigenvalues, 0.0).sqrt()


class Moments:
    """Mean and covariance of rows that come in batches, in double precision (Chan et al., 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(())
        self._scatter = torch.zeros(())

    def update(self, rows: Tensor) -> None:
        """Add rows (n, d)."""
        rows = rows.double()
        added = rows.shape[0]
        mean = rows.mean(0)
        centered = rows - mean
        scatter = centered.mT @ centered
        if self.count:
            total = self.count + added
            shift = mean - self.mean
            scatter += self._scatter + torch.outer(shift, shift) * self.count * added / total
            mean = self.mean + shift * added / total
        self.count += added
        self.mean, self._scatter = mean, scatter

    def covariance(self) -> Tensor:
        """The unbiased covariance (d, d); needs at least two rows."""
        return self._scatter / (self.count - 1)


class FrechetDistance:
    """Collects the features of two sets of pictures and compares them at the end.

    Fewer pictures than features are noted in ``degradations``.
    """

    def __init__(
        self, name: str, features: nn.Module, degradations: Degradations | None = None
    ) -> None:
        self.name = name
        self.features = features
        self._degradations = degradations or Degradations()
        self.generated = Moments()
        self.reference = Moments()

    def update(self, generated: Tensor, reference: Tensor) -> None:
        """Pictures (B, 3, H, W) in [-1, 1]; the two batches may differ in number and size."""
        self.generated.update(self.features(generated))
        self.reference.update(self.features(reference))

    def compute(self) -> list[MetricValue]:
        count = min(self.generated.count, self.reference.count)
        if count < 2:
            return [unavailable(self.name, f"needs two pictures at least, there are {count}")]
        width = self.generated.mean.shape[0]
        if count < width:
            reason = f"below {width} the covariance is singular"
            self._degradations.note(f"{self.name} of {count} pictures", "uncertain", reason)
        distance = frechet_distance(
            self.generated.mean,
            self.generated.covariance(),
            self.reference.mean,
            self.reference.covariance(),
        )
        return [MetricValue(self.name, distance, count)]


class InceptionFeatures(nn.Module):
    """The 2048 pooled features of the original FID network, built from pytorch-fid's blocks.

    Raises ImportError when torchvision or pytorch-fid is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks = import_pytorch_fid()
        network = import_torchvision().models.inception_v3(
            weights=None, num_classes=1008, aux_logits=False, init_weights=False
        )
        network.Mixed_5b = blocks.FIDInceptionA(192, pool_features=32)
        network.Mixed_5c = blocks.FIDInceptionA(256, pool_features=64)
        network.Mixed_5d = blocks.FIDInceptionA(288, pool_features=64)
        for name, channels in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            setattr(network, f"Mixed_{name}", blocks.FIDInceptionC(768, channels_7x7=channels))
        network.Mixed_7b = blocks.FIDInceptionE_1(1280)
        network.Mixed_7c = blocks.FIDInceptionE_2(2048)
        self.network = network
        self.requires_grad_(False)
        self.eval()

    def load(self, state: dict[str, Tensor], origin: str) -> None:
        """Take the weights of the file of pytorch-fid; TrainingError when it is another."""
        try:
            self.network.load_state_dict(state)
        except RuntimeError as error:
            raise TrainingError(
                f"{origin} is not the Inception network of the FID",
                "use pt_inception-2015-12-05-6726825d.pth of pytorch-fid",
            ) from error

    def forward(self, images: Tensor) -> Tensor:
        """sRGB pictures (B, 3, H, W) in [-1, 1] -> (B, 2048); they are resized to 299 x 299."""
        net = self.network
        # pytorch-fid resizes in [0, 1] and scales to [-1, 1] after: the same, resizing is linear
        x = functional.interpolate(images, (299, 299), mode="bilinear", align_corners=False)
        x = net.Conv2d_2b_3x3(net.Conv2d_2a_3x3(net.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = net.Conv2d_4a_3x3(net.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, stride=2)
        for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"):
            x = getattr(net, f"Mixed_{name}")(x)
        return x.mean((2, 3))


class PooledFeatures(nn.Module):
    """The mean over places of the last map of a feature network."""

    def __init__(self, features: FeatureExtractor) -> None:
        super().__init__()
        self.features = features

    def forward(self, images: Tensor) -> Tensor:
        """sRGB pictures (B, 3, H, W) in [-1, 1] -> (B, C)."""
        pooled: Tensor = self.features(images)[-1].mean((2, 3))
        return pooled


def load_inception(
    degradations: Degradations | None = None, *, allow_download: bool = False
) -> InceptionFeatures | None:
    """The network of the FID, or None when its weights are absent."""
    path = resolve("inception_fid", allow_download=allow_download)
    if path is None:
        return None
    network = InceptionFeatures()
    network.load(load_state(path), str(path))
    if degradations is not None:
        degradations.use("inception_fid", path)
    return network


def load_pooled_squeezenet(degradations: Degradations | None = None) -> PooledFeatures | None:
    """The encoder of ``fid_squeeze``: 512 features of SqueezeNet 1.1, or None when absent."""
    network = load_squeezenet(taps=(6,), degradations=degradations)
    return None if network is None else PooledFeatures(network)
