from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from backend.models import precision
from backend.models.borders import BorderFinder
from backend.models.folding import inference_form
from backend.models.precision import bfloat16_pays, compute_in_bfloat16
from protocol.errors import NuriError


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    bfloat16_pays.cache_clear()
    yield
    bfloat16_pays.cache_clear()


def test_floats_go_in_and_come_out_while_bfloat16_computes_inside() -> None:
    torch.manual_seed(0)
    network = inference_form(BorderFinder(width=4))
    drawing = torch.rand(1, 5, 64, 96)
    with torch.inference_mode():
        before = network(drawing)
        rounded = compute_in_bfloat16(network)(drawing)
    assert {one.dtype for one in network.parameters()} == {torch.bfloat16}
    for one, other in ((before.main, rounded.main), (before.embedding, rounded.embedding)):
        assert other.dtype is torch.float32
        assert other.shape == one.shape
        assert 0 < (one - other).abs().max() < 0.05 * one.abs().max()


@pytest.mark.parametrize(("seconds", "pays"), [((1.0, 0.5), True), ((1.0, 0.9), False)])
def test_it_pays_where_it_is_faster(monkeypatch: pytest.MonkeyPatch, seconds, pays) -> None:
    taken = dict(zip((torch.float32, torch.bfloat16), seconds, strict=True))
    monkeypatch.delenv(precision.OVERRIDE, raising=False)
    monkeypatch.setattr(precision, "_seconds", taken.get)
    monkeypatch.setattr(precision, "native_bfloat16", lambda: True)
    assert bfloat16_pays() is pays


def test_it_never_pays_where_it_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(precision.OVERRIDE, raising=False)
    monkeypatch.setattr(precision, "native_bfloat16", lambda: False)
    assert not bfloat16_pays()


def test_the_user_may_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(precision.OVERRIDE, "bf16")
    assert bfloat16_pays()
    bfloat16_pays.cache_clear()
    monkeypatch.setenv(precision.OVERRIDE, "half")
    with pytest.raises(NuriError, match="NURI_PRECISION is 'half'"):
        bfloat16_pays()
