from __future__ import annotations

import pytest
import torch

from backend.models.ffdnet import PUBLISHED, FFDNet
from tests.backend.models.counting import parameters_of


@pytest.mark.parametrize(
    ("name", "count", "last"),
    [("ffdnet_color", 852_108, 22), ("ffdnet_gray", 485_316, 28)],
)
def test_sizes_and_names_are_the_published_ones(name, count, last):
    assert parameters_of(lambda: FFDNet(**PUBLISHED[name])) == count
    with torch.device("meta"):
        keys = list(FFDNet(**PUBLISHED[name]).state_dict())
    numbers = range(0, last + 1, 2)
    assert keys == [f"model.{n}.{part}" for n in numbers for part in ("weight", "bias")]


def passing(channels=3, of_noise=0.0):
    """A network that returns its picture, and ``of_noise`` times its map of noise on top."""
    network = FFDNet(channels=channels, width=4 * channels + 1, layers=3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for number in (0, 2, 4):
            weight = network.model[number].weight
            for channel in range(min(weight.shape[:2])):
                weight[channel, channel, 1, 1] = 1
        network.model[4].weight[:, -1, 1, 1] = of_noise
    return network


@pytest.mark.parametrize("size", [(8, 6), (7, 6), (8, 5), (1, 1), (33, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_phases_come_back_to_their_places_at_any_size(channels, size):
    picture = torch.rand(2, channels, *size)
    assert torch.equal(passing(channels)(picture, torch.full((1, 1, 1, 1), 0.1)), picture)


def test_noise_is_one_number_each_or_a_map():
    network, picture = passing(of_noise=1.0), torch.rand(2, 3, 5, 4)
    each = torch.tensor([0.1, 0.3]).view(2, 1, 1, 1)
    torch.testing.assert_close(network(picture, each), picture + each)
    places = torch.rand(2, 1, 3, 2)
    wide = places.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :5, :4]
    torch.testing.assert_close(network(picture, places), picture + wide)


def test_a_part_needs_its_margin_and_no_more():
    torch.manual_seed(0)
    network, noise = FFDNet(width=8, layers=4), torch.full((1, 1, 1, 1), 0.1)
    picture = torch.rand(1, 3, 48, 6)
    whole, margin = network(picture, noise), network.margin
    part = network(picture[:, :, 20 - margin : 26 + margin], noise)[:, :, margin : margin + 6]
    torch.testing.assert_close(part, whole[:, :, 20:26])
    less = margin - 2
    part = network(picture[:, :, 20 - less : 26 + less], noise)[:, :, less : less + 6]
    assert not torch.allclose(part, whole[:, :, 20:26], atol=1e-7, rtol=0)


def test_sizes_that_cannot_be_are_refused():
    for wrong in ({"layers": 1}, {"width": 0}, {"channels": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FFDNet(**wrong)
