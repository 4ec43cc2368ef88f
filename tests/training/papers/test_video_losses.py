"""Which features of which layers the rows of video compare."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training import papers
from training.errors import TrainingError
from training.features import FIRST_RELUS_19, LAST_RELUS_19, VGGFeatures
from training.losses import PerceptualLoss, StyleLoss
from training.papers.pieces import Adversarial

from .test_recipes import small

pytestmark = pytest.mark.usefixtures("nowhere")  # no VGG but that of a seed


def feature_terms(preset: str, *settings: str) -> dict[str, Tensor]:
    """The weighted terms in the features of a VGG-19 of random weights, for two fixed pictures."""
    recipe = papers.build(small(preset, "loss.features=random", *settings), None)
    task = recipe.tracks[0].task
    assert isinstance(task, Adversarial)
    one, other = torch.rand(2, 1, 3, 64, 64, generator=torch.manual_seed(0)) * 2 - 1
    return {name: term.weighted for name, term in task.feature_terms(one, other).items()}


def expected(kind: str, taps: tuple[str, ...]) -> dict[str, Tensor]:
    """The raw terms by layers that are named."""
    network = VGGFeatures("vgg19", taps)
    network.randomise(0)
    one, other = torch.rand(2, 1, 3, 64, 64, generator=torch.manual_seed(0)) * 2 - 1
    maps = network(one), network(other)
    return {"g/perceptual": PerceptualLoss(kind)(*maps), "g/style": 1000 * StyleLoss()(*maps)}


def test_ardsc_is_trained_by_the_losses_of_aaldc() -> None:
    ours, theirs = feature_terms("video/ardsc"), feature_terms("aaldc/scft")
    assert ours.keys() == theirs.keys() == {"g/perceptual", "g/style"}
    for name, term in ours.items():
        torch.testing.assert_close(term, theirs[name])


@pytest.mark.parametrize("kind", ["mse", "l1"])
@pytest.mark.parametrize(("taps", "layers"), [("first", FIRST_RELUS_19), ("last", LAST_RELUS_19)])
def test_layers_and_norm_are_those_that_are_set(
    kind: str, taps: str, layers: tuple[str, ...]
) -> None:
    chosen = [f"loss.perceptual_kind={kind}", f"loss.taps={taps}"]
    if (kind, taps) == ("mse", "first"):
        chosen = []  # the paper's own
    torch.testing.assert_close(feature_terms("video", *chosen), expected(kind, layers))


@pytest.mark.parametrize("setting", ["loss.taps=second", "loss.perceptual_kind=huber"])
def test_others_are_refused(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(TrainingError, match=f"{name} is '{value}': use (first or last|l1 or mse)"):
        papers.build(small("video", setting), None)


def test_a_run_of_before_there_were_these_is_built() -> None:
    config = small("video", "loss.features=random")
    del config["loss"]["taps"], config["loss"]["perceptual_kind"]
    papers.build(config, None)
