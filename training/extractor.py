"""The feature network of manga pages: whose weights it gets, and what the run records of it.

Golyadkin and Makarov (AIST 2020), section 10 of the specification: Tag2Pix' tagger, else
SE-ResNeXt-50 of ImageNet, else what it was initialised with.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from backend.models.alacgan import AlacGANColorizer
from backend.models.architectures import load_weights
from backend.models.manga import MangaColorizer
from backend.models.seresnext import from_tag2pix, from_timm
from training.errors import TrainingError
from training.pretrained import Degradations, load_state, resolve

_BEST = "tag2pix"
_KEYS = {_BEST: from_tag2pix, "seresnext50": from_timm}
_WIDTH = 64


def load_extractor(colorizer: nn.Module, degradations: Degradations) -> None:
    """Fill the extractor of a page colorizer with the best weights that are here.

    What is not Tag2Pix' is noted; without any it stays as it is: "random", or "untrained" where
    it learns with the generator. AlacGAN's is noted always, for it stands in for another network.
    Other networks have no extractor and stay as they are.

    Raises TrainingError for a damaged file or one of another network.
    """
    if not isinstance(colorizer, (MangaColorizer, AlacGANColorizer)):
        return
    features = colorizer.extractor
    width: int = features.net.options["width"]
    found = {name: resolve(name) for name in _KEYS} if width == _WIDTH else {}
    name, path = next(((n, p) for n, p in found.items() if p is not None), ("", None))
    if path is not None:
        _fill(features.net, name, path)
        degradations.use(name, path)
    reasons = []
    if isinstance(colorizer, AlacGANColorizer):
        reasons.append("SE-ResNeXt stands in for Illustration2Vec")
    if width != _WIDTH:
        reasons.append(f"it is {width} wide, published weights are {_WIDTH}")
    elif name != _BEST:
        reasons.append(f"the weights of {_BEST if name else ' and '.join(_KEYS)} are absent")
    if reasons:
        state = name or ("untrained" if features.trainable else "random")
        degradations.note("extractor", state, "; ".join(reasons))


def _fill(features: nn.Module, name: str, path: Path) -> None:
    try:
        load_weights(features, _KEYS[name](load_state(path)), path)
    except ValueError as error:
        raise TrainingError(str(error), f"replace it by the weights of {name}") from error
