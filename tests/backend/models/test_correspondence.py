"""The three correspondences, against their formulas written out."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as functional

from backend.models import correspondence
from backend.models.correspondence import CORRESPONDENCES, Correspondence, make_correspondence

CHANNELS = 16


def maps(count: int = 1, *, batch: int = 2, height: int = 5, width: int = 4, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(batch, CHANNELS, height, width, generator=generator) for _ in range(count)]
    return made if count > 1 else made[0]


def tokens(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2)


def make(kind: str, **options: object) -> Correspondence:
    torch.manual_seed(3)
    return make_correspondence(kind, CHANNELS, **options).eval()


def naive_sga(module, query, keys, values, column_norm=True):
    x = tokens(query)
    y = torch.cat([tokens(key) for key in keys], 1)
    message = torch.cat([tokens(value) for value in values], 1)
    matrix = torch.softmax(x @ y.transpose(1, 2), -1)
    if column_norm:
        matrix = matrix / matrix.sum(1, keepdim=True).clamp_min(1e-12)
    mixed = matrix @ functional.leaky_relu(module.message(message), 0.2)
    mixed = mixed + functional.leaky_relu(module.source(x), 0.2)
    result = module.norm(mixed.transpose(1, 2)) + x.transpose(1, 2)
    return result.view_as(query)


def naive_scft(module, query, keys, values):
    q = module.query(tokens(query))
    k = torch.cat([module.key(tokens(key)) for key in keys], 1)
    v = torch.cat([module.value(tokens(value)) for value in values], 1)
    matrix = torch.softmax(q @ k.transpose(1, 2) / CHANNELS**0.5, -1)
    return (matrix @ v).transpose(1, 2).reshape(query.shape) + query


def naive_distance(module, query, keys, values):
    masked, shares = [], []
    for key, value in zip(keys, values, strict=True):
        joined = torch.cat((key, query.expand_as(key)), 1)
        masked.append(value * torch.sigmoid(module.color_mask(joined)))
        shares.append(torch.sigmoid(module.match_mask(joined)))
    k = torch.cat([tokens(module.key(key)) for key in keys], 1)
    v = torch.cat([tokens(module.value(value)) for value in masked], 1)
    matrix = torch.softmax(tokens(module.query(query)) @ k.transpose(1, 2), -1)
    inner = (matrix @ v).transpose(1, 2).unflatten(2, query.shape[2:])
    matched = module.restore(inner)
    parts = [(1 - n) * matched + n * value for n, value in zip(shares, masked, strict=True)]
    return torch.stack(parts).mean(0)


NAIVE = {"sga": naive_sga, "scft": naive_scft, "distance": naive_distance}


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("kind", CORRESPONDENCES)
def test_each_is_its_formula(kind: str, count: int, memory_format: torch.memory_format) -> None:
    module = make(kind)
    query = maps().to(memory_format=memory_format)
    keys = [key.to(memory_format=memory_format) for key in maps(count + 1, seed=1)[1:]]
    values = [value.to(memory_format=memory_format) for value in maps(count + 1, seed=2)[1:]]
    result = module(query, keys, values)
    expected = NAIVE[kind](module, query, keys, values)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)
    assert result.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("kind", CORRESPONDENCES)
def test_gradients_are_those_of_the_formula(kind: str) -> None:
    module = make(kind, stop_gradient=False) if kind == "sga" else make(kind)
    module.train()
    inputs = [x.requires_grad_() for x in maps(5, seed=5)]
    query, keys, values = inputs[0], inputs[1:3], inputs[3:]
    upstream = maps(seed=6)
    ours = torch.autograd.grad(module(query, keys, values), inputs, upstream)
    naive = torch.autograd.grad(NAIVE[kind](module, query, keys, values), inputs, upstream)
    for mine, theirs in zip(ours, naive, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", CORRESPONDENCES)
def test_references_of_one_picture_serve_a_batch(kind: str) -> None:
    module = make(kind)
    query, keys, values = maps(batch=3), maps(2, batch=1, seed=1), maps(2, batch=1, seed=2)
    references = module.encode_references(keys, values)
    expected = module(
        query, [k.expand_as(query) for k in keys], [v.expand_as(query) for v in values]
    )
    torch.testing.assert_close(module.attend(query, references), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["sga", "scft"])
def test_the_order_of_the_reference_tokens_does_not_matter(kind: str) -> None:
    module = make(kind)
    query, reference = maps(), maps(seed=1)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    shuffled = reference.flatten(2)[:, :, order].view_as(reference)
    torch.testing.assert_close(
        module(query, [shuffled], [shuffled]),
        module(query, [reference], [reference]),
        atol=1e-5,
        rtol=1e-5,
    )


@pytest.mark.parametrize("kind", ["sga", "scft"])
def test_references_may_have_another_size(kind: str) -> None:
    query, reference = maps(), maps(seed=1, height=7, width=3)
    assert make(kind)(query, [reference], [reference]).shape == query.shape


def test_columns_of_sga_sum_to_one_and_rows_without_the_norm() -> None:
    query, keys = maps(), maps(2, seed=1)
    columns = make("sga").attention(query, keys).sum(1)
    torch.testing.assert_close(columns, torch.ones_like(columns), atol=1e-5, rtol=0)
    rows = make("sga", column_norm=False).attention(query, keys).sum(2)
    torch.testing.assert_close(rows, torch.ones_like(rows), atol=1e-5, rtol=0)


def test_sga_without_the_column_norm_is_its_formula() -> None:
    module = make("sga", column_norm=False)
    query, reference = maps(), maps(seed=1)
    expected = naive_sga(module, query, [reference], [reference], column_norm=False)
    torch.testing.assert_close(
        module(query, [reference], [reference]), expected, atol=1e-5, rtol=1e-5
    )


def test_sga_takes_a_few_queries_at_a_time_with_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = make("sga")
    query, reference = maps(), maps(seed=1)
    expected = module(query, [reference], [reference])
    monkeypatch.setattr(correspondence, "SCORES_AT_ONCE", 60)
    torch.testing.assert_close(
        module(query, [reference], [reference]), expected, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("stop_gradient", [True, False])
def test_no_gradient_passes_through_the_matrix_of_sga(stop_gradient: bool) -> None:
    module = make("sga", stop_gradient=stop_gradient)
    query, key, value = (x.requires_grad_() for x in maps(3, seed=4))
    module(query, [key], [value]).square().sum().backward()
    # a key acts through the matrix alone
    assert (key.grad is None) == stop_gradient
    assert query.grad is not None
    assert value.grad is not None
    assert module.attention(query, [key]).requires_grad != stop_gradient


def test_distance_attention_with_n_one_keeps_the_masked_colours() -> None:
    module = make("distance")
    with torch.no_grad():
        module.match_mask.weight.zero_()
        module.match_mask.bias.fill_(100)
    query, key, value = maps(), maps(seed=1), maps(seed=2)
    mask = torch.sigmoid(module.color_mask(torch.cat((key, query), 1)))
    torch.testing.assert_close(module(query, [key], [value]), value * mask, atol=1e-5, rtol=0)


def test_rows_of_distance_attention_sum_to_one_over_all_references() -> None:
    rows = make("distance").attention(maps(), maps(3, seed=1)).sum(2)
    torch.testing.assert_close(rows, torch.ones(2, 20), atol=1e-5, rtol=0)


def test_one_mask_for_all_channels() -> None:
    module = make("distance", mask_channels=1)
    query, keys, values = maps(), maps(2, seed=1), maps(2, seed=2)
    expected = naive_distance(module, query, keys, values)
    torch.testing.assert_close(module(query, keys, values), expected, atol=1e-5, rtol=1e-5)
    assert module.color_mask.out_channels == 1


def test_parameters_at_the_papers_sizes() -> None:
    with torch.device("meta"):
        counts = {
            kind: sum(p.numel() for p in make_correspondence(kind, channels).parameters())
            for kind, channels in (("sga", 992), ("scft", 992), ("distance", 256))
        }
    assert counts == {"sga": 1_972_096, "scft": 3 * (992**2 + 992), "distance": 2_392_928}


def test_wrong_use_is_named() -> None:
    with pytest.raises(ValueError, match="'sgb' is unknown"):
        make_correspondence("sgb", 4)
    with pytest.raises(ValueError, match="mask_channels=3"):
        make_correspondence("distance", 4, mask_channels=3)
    with pytest.raises(ValueError, match="2 key maps and 1 value"):
        make("scft")(maps(), maps(2), [maps()])
    with pytest.raises(ValueError, match="drawing's size"):
        make("distance")(maps(), [maps(height=6)], [maps(height=6)])


MEASURE = """
import resource, torch
from backend.models.video import ColorTransformNet
torch.set_num_threads(1)
net = ColorTransformNet(blocks=1).eval()
picture = torch.zeros(1, 1, 512, 512)
stack = torch.rand(1, 5, 1, 512, 512)
with torch.inference_mode():
    net(picture, picture, stack, stack, stack.expand(-1, -1, 3, -1, -1))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_five_references_at_512_stay_below_two_gigabytes() -> None:
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE],
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    # the matrix of all scores alone would take 5.4 GB
    assert int(measured.stdout) * 1024 < 2e9


def test_attention_keeps_full_precision_under_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    query, keys = (8 * torch.randn(2, 30, 64, generator=generator) for _ in range(2))
    values = torch.randn(2, 30, 5, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = correspondence.attend(query, keys, values)
    assert mixed.dtype == torch.float32 and torch.equal(
        mixed, correspondence.attend(query, keys, values)
    )
