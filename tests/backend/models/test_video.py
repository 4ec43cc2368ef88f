"""The colour transform and the temporal refinement network of RLAV."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from torch.nn.utils import parametrize

from backend.models.video import ColorTransformNet, TemporalRefinementNet

ABLATIONS = [
    {},
    {"sim_enabled": False},
    {"embedder_enabled": False},
    {"line_branch": False},
    {"matching_input": "line"},
    {"mask_channels": 1},
    {"sn_scope": "all"},
    {"sn_scope": "none"},
    {"correspondence": "sga"},
    {"correspondence": "scft"},
]


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def shot(
    batch: int = 1, count: int = 2, height: int = 32, width: int = 32
) -> tuple[torch.Tensor, ...]:
    sides = (height, width)
    return (
        pictures(batch, 1, *sides, seed=1),
        pictures(batch, 1, *sides, seed=2),
        pictures(batch, count, 1, *sides, seed=3),
        pictures(batch, count, 1, *sides, seed=4),
        pictures(batch, count, 3, *sides, seed=5),
    )


def small(**options: object) -> ColorTransformNet:
    torch.manual_seed(0)
    return ColorTransformNet(**{"width": 4, "blocks": 2, **options})


def test_parameters_of_the_colour_transform() -> None:
    with torch.device("meta"):
        model = ColorTransformNet()
        assert parameters(model) == 19_802_409
        assert parameters(model.matching.correspondence) == 2_392_928
        without = ColorTransformNet(sim_enabled=False)
    # two encoders, the attention and its latent decoder fewer
    assert parameters(without) == 19_802_409 - 658_944 - 665_216 - 2_392_928 - 6_915


@pytest.mark.parametrize(
    ("options", "expected"), [({}, 7_522_370), ({"skip": False}, 6_781_634)], ids=str
)
def test_parameters_of_the_refinement(options: dict[str, bool], expected: int) -> None:
    with torch.device("meta"):
        assert parameters(TemporalRefinementNet(**options)) == expected


@pytest.mark.parametrize("options", ABLATIONS, ids=str)
def test_every_switch_colours_and_learns(options: dict[str, object]) -> None:
    model = small(**options)
    output = model(*shot(batch=2))
    assert output.main.shape == (2, 3, 32, 32)
    loss = output.main.square().mean() + output.latent_middle.square().mean()
    if output.latent_similarity is not None:
        loss = loss + output.latent_similarity.square().mean()
    loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    again = ColorTransformNet(**model.options)
    again.load_state_dict(model.state_dict())


def test_spectral_norm_reaches_what_the_scope_says() -> None:
    def normalised(scope: str) -> set[str]:
        return {
            name
            for name, module in small(sn_scope=scope).named_modules()
            if parametrize.is_parametrized(module)
        }

    layers = {
        name
        for name, module in small().named_modules()
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))
    }
    assert normalised("none") == set()
    assert normalised("all") == layers
    roots = {"line_encoder", "matching", "decoder"}
    expected = {
        name for name in layers if name.split(".")[0] in roots and "correspondence" not in name
    }
    assert normalised("encdec") == expected
    assert len(expected) == 13


def test_the_same_weights_serve_any_number_of_references() -> None:
    model = small().eval()
    with torch.inference_mode():
        for count in range(1, 6):
            assert model(*shot(count=count)).main.shape == (1, 3, 32, 32)


def test_a_reference_given_twice_is_that_reference() -> None:
    model = small().eval()
    line, distance, *references = shot(count=1)
    with torch.inference_mode():
        once = model(line, distance, *references).main
        twice = model(line, distance, *(each.repeat(1, 2, 1, 1, 1) for each in references)).main
    torch.testing.assert_close(twice, once, atol=1e-4, rtol=0)


@pytest.mark.parametrize("options", [{}, {"correspondence": "sga"}, {"embedder_enabled": False}])
def test_encoded_references_serve_every_frame_of_a_shot(options: dict[str, object]) -> None:
    model = small(**options).eval()
    line, distance, *references = shot(batch=3)
    one = [each[:1] for each in references]
    with torch.inference_mode():
        whole = model(line, distance, *(each.expand(3, -1, -1, -1, -1) for each in one)).main
        cached = model.encode_references(*one)
        together = model.forward_with(line, distance, cached).main
        apart = [model.forward_with(line[i : i + 1], distance[i : i + 1], cached) for i in range(3)]
    torch.testing.assert_close(together, whole, atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.cat([each.main for each in apart]), whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("matching_input", "moved"), [("distance", False), ("line", True)], ids=["distance", "line"]
)
def test_what_is_matched(matching_input: str, moved: bool) -> None:
    """Without the structure branch the line acts through the matching alone, if at all."""
    model = small(matching_input=matching_input, line_branch=False).eval()
    line, *rest = shot()
    with torch.inference_mode():
        same = torch.equal(model(line, *rest).main, model(-line, *rest).main)
    assert same != moved


def test_latents_are_there_in_training_only() -> None:
    model = small()
    output = model(*shot(height=40))
    assert output.latent_similarity.shape == output.latent_middle.shape == (1, 3, 10, 8)
    assert model.eval()(*shot()).latent_middle is None
    assert small(sim_enabled=False)(*shot()).latent_similarity is None


@pytest.mark.parametrize("size", [(1, 1), (30, 50)])
def test_any_size_of_frame(size: tuple[int, int]) -> None:
    with torch.inference_mode():
        output = small().eval()(*shot(height=size[0], width=size[1]))
    assert output.main.shape == (1, 3, *size)


def test_adain_begins_near_instance_norm() -> None:
    model = small()
    with torch.no_grad():
        model.embedder.perceptron[-1].weight.zero_()
    style = model.embedder(*shot()[2::2])
    assert style.shape == (1, 2, 2, 2, 16)
    assert torch.all(style[..., 0, :] == 0)
    assert torch.all(style[..., 1, :] == 1)


def test_the_style_is_the_mean_over_the_references() -> None:
    embedder = small().embedder
    _, _, line, _, color = shot(count=3)
    with torch.no_grad():
        vectors = []
        for index in range(3):
            x = torch.cat((line[:, index], color[:, index]), 1)
            for conv, stride, padding in zip(
                embedder.convs, (1, 2, 2, 2, 2), (3, 1, 1, 1, 1), strict=True
            ):
                x = functional.pad(x, (padding,) * 4, mode="reflect")
                x = functional.relu(functional.conv2d(x, conv.conv.weight, conv.conv.bias, stride))
            vectors.append(embedder.project(functional.adaptive_avg_pool2d(x, 1)).flatten(1))
        expected = embedder.perceptron(torch.stack(vectors).mean(0))
        torch.testing.assert_close(embedder(line, color).flatten(1), expected, atol=1e-5, rtol=0)


def test_wrong_options_are_named() -> None:
    for options, message in (
        ({"sn_scope": "enc"}, "sn_scope='enc'"),
        ({"matching_input": "lines"}, "matching_input='lines'"),
        ({"sim_enabled": False, "line_branch": False}, "keep one"),
        ({"mask_channels": 1, "correspondence": "sga"}, "mask_channels=1"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**options)
    with pytest.raises(ValueError, match="downs=4"):
        TemporalRefinementNet(downs=4)


@pytest.mark.parametrize(
    "options",
    [{}, {"downs": 2}, {"skip": False}, {"shift": "fixed"}, {"shift": "none", "spectral": False}],
    ids=str,
)
def test_refinement_takes_any_clip(options: dict[str, object]) -> None:
    model = TemporalRefinementNet(width=4, **options)
    for frames, height, width in ((1, 8, 8), (5, 18, 27)):
        output = model(pictures(2, frames, 4, height, width))
        assert output.main.shape == (2, frames, 3, height, width)
    output.main.square().mean().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    again = TemporalRefinementNet(**model.options)
    again.load_state_dict(model.state_dict())


def test_frames_of_a_clip_speak_only_through_the_shift() -> None:
    clip = pictures(1, 3, 4, 16, 16)
    changed = clip.clone()
    changed[:, 2] *= -1
    for shift, speaks in (("learnable", True), ("none", False)):
        model = TemporalRefinementNet(width=4, shift=shift).eval()
        with torch.inference_mode():
            before, after = model(clip).main, model(changed).main
        assert torch.allclose(before[:, 0], after[:, 0], atol=1e-7) != speaks


@pytest.mark.slow
def test_a_shot_that_stands_still_is_learnt() -> None:
    torch.manual_seed(0)
    model = ColorTransformNet(width=16, blocks=2)
    line, distance, *_ = shot(height=32)
    color = functional.interpolate(pictures(1, 3, 4, 4, seed=7), size=(32, 32), mode="bilinear")
    references = (line[:, None], distance[:, None], color[:, None])
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, betas=(0.5, 0.999))
    for _ in range(300):
        optimiser.zero_grad()
        (model(line, distance, *references).main - color).abs().mean().backward()
        optimiser.step()
    with torch.no_grad():
        error = (model.eval()(line, distance, *references).main - color).div(2).square().mean()
    assert -10 * torch.log10(error) > 30
