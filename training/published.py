"""Weights that others published: tried in the network that they are for, before they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from backend.models import architectures, ffdnet
from backend.models.layers import with_batch_counts
from backend.models.seresnext import SEResNeXtFeatures, from_tag2pix, from_timm
from training import keras_vgg
from training.errors import TrainingError
from training.features import (
    LAST_RELUS_16,
    LAST_RELUS_19,
    AlexNetFeatures,
    FeatureExtractor,
    SqueezeNetFeatures,
    VGGFeatures,
)
from training.losses.pfanet import PFANet, from_port
from training.metrics.deep import LPIPS_NETWORKS
from training.metrics.frechet import InceptionFeatures

State = Mapping[str, Tensor]


def fitted(name: str, state: State, origin: str) -> dict[str, Tensor]:
    """The tensors of the published file ``origin`` under the names that are read here.

    ``name`` is one of `training.pretrained`. Raises TrainingError, with the first tensors that do
    not fit the network of that name or the package that it needs.
    """
    kept = dict(state)
    try:
        if name in _NAMES:
            kept = _NAMES[name](state, origin)
        _TRIALS[name](kept, origin)
    except ValueError as error:
        raise misfit(name, error, origin) from error
    except ImportError as error:
        raise TrainingError(str(error), "run `python3 install.py training`") from error
    return kept


def misfit(name: str, error: ValueError, origin: Path | str) -> TrainingError:
    """That the file ``origin`` is not of the network ``name``, which ``error`` says of a tensor."""
    words = str(error)
    words = words if words.startswith(str(origin)) else f"{origin}: {words}"
    return TrainingError(words, f"name the published file of {name}")


def _features(make: Callable[[], FeatureExtractor]) -> Callable[[State, str], None]:
    return lambda state, origin: make().load(state, origin)


def _whole(make: Callable[[], nn.Module]) -> Callable[[State, str], None]:
    return lambda state, origin: architectures.load_weights(
        make(), with_batch_counts(state), origin
    )


def _heads(network: str) -> Callable[[State, str], None]:
    widths = LPIPS_NETWORKS[network][1]
    shapes = {f"lin{at}.model.1.weight": (1, width, 1, 1) for at, width in enumerate(widths)}

    def fit(state: State, origin: str) -> None:
        wrong = [k for k, shape in shapes.items() if k not in state or state[k].shape != shape]
        if wrong:
            raise ValueError(f"{origin} has no fitting weights for {wrong[0]}")

    return fit


def _extractor(names: Callable[[State], dict[str, Tensor]]) -> Callable[[State, str], None]:
    return lambda state, origin: architectures.load_weights(
        SEResNeXtFeatures(), names(state), origin
    )


def _siggraph17(state: State, origin: str) -> None:
    architectures.released("smsanet", state, origin)


_NAMES: Mapping[str, Callable[[State, str], dict[str, Tensor]]] = {
    keras_vgg.NAME: keras_vgg.from_keras,
    "pfanet": lambda state, _origin: from_port(state),
}
_TRIALS: Mapping[str, Callable[[State, str], None]] = {
    "vgg16": _features(lambda: VGGFeatures("vgg16", LAST_RELUS_16)),
    "vgg19": _features(lambda: VGGFeatures("vgg19", LAST_RELUS_19)),
    keras_vgg.NAME: _features(lambda: VGGFeatures("vgg19", LAST_RELUS_19)),
    "alexnet": _features(AlexNetFeatures),
    "squeezenet1_1": _features(SqueezeNetFeatures),
    **{f"lpips_{network}": _heads(network) for network in LPIPS_NETWORKS},
    "inception_fid": _whole(lambda: InceptionFeatures().network),
    "siggraph17": _siggraph17,
    "pfanet": _whole(PFANet),
    "tag2pix": _extractor(from_tag2pix),
    "seresnext50": _extractor(from_timm),
    **{
        name: _whole(partial(ffdnet.FFDNet, **options))
        for name, options in ffdnet.PUBLISHED.items()
    },
}
