"""The reference-based generator and the line extractor of AALDC."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional

from backend.models.aaldc import AnimeReferenceColorizer, FeatureEncoder, gather
from backend.models.line_extractor import LineExtractor

ROWS = {
    "ours": ({}, 83_952_507),
    "sga": ({"encoder_attention": "none"}, 83_906_899),
    "scft": (
        {"correspondence": "scft", "encoder_attention": "none", "encoder_norm": "none"},
        82_913_907,
    ),
    "scft_ca": ({"correspondence": "scft"}, 82_963_483),
}
ABLATIONS = [
    {},
    {"correspondence": "scft"},
    {"correspondence": "distance"},
    {"encoder_attention": "none", "encoder_norm": "none"},
    {"encoder_attention": "se"},
    {"encoder_attention": "smsa", "encoder_norm": "instance"},
    {"sga_self": False},
    {"sga_column_norm": False, "sga_stop_gradient": False},
    {"cbam_mlp_bias": True, "cbam_spatial_norm": True},
    {"line_channels": 2, "blocks": 1},
]


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def small(**options: object) -> AnimeReferenceColorizer:
    torch.manual_seed(0)
    return AnimeReferenceColorizer(**{"width": 2, **options})


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("row", ROWS)
def test_parameters_of_the_rows_of_the_table(row: str) -> None:
    options, expected = ROWS[row]
    with torch.device("meta"):
        assert parameters(AnimeReferenceColorizer(**options)) == expected


def test_parameters_of_the_parts() -> None:
    with torch.device("meta"):
        model = AnimeReferenceColorizer()
        assert parameters(model.line_encoder) == 1_203_268
        assert parameters(model.reference_encoder) == 1_203_556
        assert parameters(model.cross) + parameters(model.own) == 3_944_192
        assert parameters(model.residual) == 70_868_480
        assert parameters(model.decoder) == 6_733_011
        assert parameters(LineExtractor()) == 7_849_601


def test_features_have_the_papers_sizes() -> None:
    with torch.device("meta"):
        features = FeatureEncoder(1, 16)(torch.empty(1, 1, 256, 256))
        assert [f.shape[-1] for f in features] == [256, 256, 128, 128, 64, 64, 32, 32, 16, 16]
        assert gather(features).shape == (1, 992, 16, 16)


def test_gathered_features_are_adaptive_averages() -> None:
    features = [pictures(1, c, 16 // s, 32 // s) for c, s in ((2, 1), (3, 2), (4, 8))]
    expected = torch.cat([functional.adaptive_avg_pool2d(f, (2, 4)) for f in features], 1)
    torch.testing.assert_close(gather(features), expected)


def test_the_decoder_joins_its_features_in_the_papers_order() -> None:
    model = small().eval()
    features = model.line_encoder(pictures(1, 1, 32, 32))
    x = expected = pictures(1, 2 * 124, 2, 2)
    f = dict(enumerate(features, start=1))
    layers = iter(model.decoder.blocks)
    expected = next(layers)(expected)
    for skip in (9, 8, 7, 6, 5, 4, 3, 2, 1):
        expected = next(layers)(torch.cat((expected, f[skip]), 1))
        if skip in (9, 7, 5, 3):
            expected = torch.nn.UpsamplingBilinear2d(scale_factor=2)(expected)
    expected = torch.tanh(model.decoder.head(expected))
    torch.testing.assert_close(model.decoder(x, features), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("options", ABLATIONS, ids=str)
def test_every_option_colours_and_learns(options: dict[str, object]) -> None:
    model = small(**options)
    line = pictures(2, int(options.get("line_channels", 1)), 32, 48)
    output = model(line, pictures(2, 3, 32, 48, seed=1))
    assert output.main.shape == (2, 3, 32, 48)
    assert output.main.abs().max() <= 1
    output.main.square().mean().backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []
    again = AnimeReferenceColorizer(**model.options)
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize("size", [(1, 1), (50, 70), (64, 16)])
def test_any_size_of_drawing_and_reference(size: tuple[int, int]) -> None:
    model = small().eval()
    with torch.inference_mode():
        output = model(pictures(1, 1, *size), pictures(1, 3, 33, 20))
    assert output.main.shape == (1, 3, *size)


@pytest.mark.parametrize("correspondence", ["sga", "scft", "distance"])
@pytest.mark.parametrize("count", [None, 1, 3])
def test_encoded_references_give_the_same_colours(correspondence: str, count: int | None) -> None:
    model = small(correspondence=correspondence).eval()
    line = pictures(2, 1, 32, 32)
    reference = pictures(1, *(() if count is None else (count,)), 3, 32, 32, seed=1)
    with torch.inference_mode():
        together = model(line, reference.expand(2, *reference.shape[1:])).main
        references = model.encode_references(reference)
        apart = model.forward_with(line, references).main
    torch.testing.assert_close(apart, together, atol=1e-4, rtol=0)


def test_the_projections_for_the_triplet_loss_are_there_in_training_only() -> None:
    model = small(correspondence="scft")
    line, reference = pictures(2, 1, 32, 32), pictures(2, 3, 32, 48)
    output = model(line, reference)
    assert output.query.shape == (2, 4, 124)
    assert output.key.shape == (2, 6, 124)
    assert model.eval()(line, reference).query is None
    assert small()(line, reference).query is None


def test_channels_last_gives_the_same_colours() -> None:
    model = small().eval()
    line, reference = pictures(1, 1, 32, 32), pictures(1, 3, 32, 32)
    with torch.inference_mode():
        expected = model(line, reference).main
        model = model.to(memory_format=torch.channels_last)
        line, reference = (x.to(memory_format=torch.channels_last) for x in (line, reference))
        result = model(line, reference).main
    torch.testing.assert_close(result, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"correspondence": "sgq"}, "correspondence='sgq'"),
        ({"encoder_attention": "cban"}, "encoder_attention='cban'"),
        ({"encoder_norm": "bn"}, "'bn'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**options)


@pytest.mark.parametrize("size", [(1, 1), (33, 40)])
def test_the_line_extractor_draws_at_any_size(size: tuple[int, int]) -> None:
    model = LineExtractor(width=4).eval()
    output = model(pictures(1, 3, *size))
    assert output.main.shape == (1, 1, *size)
    assert output.main.abs().max() <= 1
    assert LineExtractor(**model.options).options == model.options
