"""Table 1 of MangaGAN: colourings of black-and-white pages beside held-out colour pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from training import papers, presets
from training.engine.batches import collate
from training.engine.steps import in_eval_mode
from training.errors import TrainingError
from training.papers import manga_evaluation
from training.papers.manga_evaluation import automatic_hint
from training.papers.pieces import Config, make_network, to_bytes, unit
from training.papers.scoring import Evaluation, Examination, Scored

from .overfitting import overfit

SETTINGS = [
    "data.size=64", "data.count=3", "data.denoise=false", "model.width=8", "model.size=compact",
    "model.extractor_width=8", "eval.pictures=1", "eval.limit=2", "data.xdog.scales=1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, ...], list[Scored]]:
    """What was measured, by the metrics that were asked for."""
    found: dict[tuple[str, ...], list[Scored]] = {}
    score = Examination.score

    def spy(
        self: Examination, pictures: Iterable[Scored], names: Sequence[str], kind: str = ""
    ) -> Evaluation:
        found[tuple(names)] = list(pictures)
        return score(self, found[tuple(names)], names, kind)

    monkeypatch.setattr(Examination, "score", spy)
    return found


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor, bool]]:
    """Of every call of the network: the hint, the picture, whether the page was encoded before."""
    found: list[tuple[Tensor, Tensor, bool]] = []

    def heard(table: Config) -> nn.Module:
        network = make_network(table)
        network.register_forward_hook(
            lambda _, given, named, output: found.append((given[2], output.main, bool(named))),
            with_kwargs=True,
        )
        return network

    monkeypatch.setattr(manga_evaluation, "make_network", heard)
    return found


def page(path: Path, height: int, width: int, channels: int) -> None:
    rng = np.random.default_rng(len(path.name) + height)
    small = rng.integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB" if channels == 3 else "L").save(path)


def evaluate(data: Path | None, folder: Path, *settings: str) -> Evaluation:
    config = presets.parse("manga", [*SETTINGS, *settings]).as_config()
    return papers.evaluate(config, data, None, folder / "out", "cpu")


def test_black_and_white_pages_are_coloured_and_compared_with_colour_pages(
    tmp_path: Path, scored: dict[tuple[str, ...], list[Scored]]
) -> None:
    for name in range(12):
        page(tmp_path / "d" / "color" / f"{name}.png", 96, 64, 3)
    for name in range(3):  # of another book, though the names are the same
        page(tmp_path / "d" / "bw_manga" / f"{name}.png", 128, 80, 1)
    result = evaluate(tmp_path / "d", tmp_path)
    (measured,) = scored.values()
    assert result.count == len(measured) == 1  # one colour page in twelve is held out
    assert measured[0].names[0] in ("0", "1", "2")
    assert measured[0].prediction.shape == (1, 3, 103, 64)  # the whole page
    assert measured[0].fid_reference is not None
    assert measured[0].fid_reference.shape == (1, 3, 96, 64)
    assert not [line for line in result.degraded if line.startswith("pages")]


def test_without_black_and_white_pages_it_is_told(
    tmp_path: Path, scored: dict[tuple[str, ...], list[Scored]]
) -> None:
    for name in range(3):
        page(tmp_path / "d" / "color" / f"{name}.png", 64, 96, 3)
    result = evaluate(tmp_path / "d", tmp_path)
    (measured,) = scored.values()
    assert measured[0].fid_reference is None and measured[0].prediction.shape[2:] == (64, 64)
    assert "pages=colour: no black-and-white ones are given" in result.degraded


def test_metrics_by_pairs_are_of_colour_pages(
    tmp_path: Path, scored: dict[tuple[str, ...], list[Scored]]
) -> None:
    result = evaluate(None, tmp_path, "eval.metrics=psnr,fid", "eval.auto_hint=false")
    assert set(scored) == {("fid",), ("psnr",)}
    assert scored[("fid",)][0].prediction.shape[2:] == (90, 64)
    assert scored[("psnr",)][0].fid_reference is None
    assert result.metrics["psnr"] is not None and "fid" in {*result.metrics}


def test_automatic_hints_are_as_dense_as_the_release_has_them() -> None:
    """Section 6: about 627 pixels of 512 x 512 on average, and a new number for every picture."""
    rng, picture = np.random.default_rng(0), torch.zeros(1, 3, 512, 512)
    counts = [int(automatic_hint(picture, rng, 0.003, False)[:, 3].sum()) for _ in range(400)]
    assert np.mean(counts) == pytest.approx(0.003 * np.sqrt(2 / np.pi) * 512**2, rel=0.1)
    assert np.std(counts) > 300


def test_automatic_hints_have_the_colours_of_the_result() -> None:
    result = torch.rand(2, 3, 48, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    hint = automatic_hint(result, np.random.default_rng(1), 0.2, False)
    assert hint.shape == (2, 4, 48, 32)
    mask = hint[:, 3:]
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(hint[:, :3], result * mask)
    assert not torch.equal(mask[0], mask[1])


@pytest.mark.parametrize(("colourful", "spread"), [(False, 58 / 255), (True, 62 / 255)])
def test_grey_gives_no_automatic_hints_where_it_is_to_be_ignored(
    colourful: bool, spread: float
) -> None:
    """Section 6: |r-g| + |r-b| + |g-b| above 60/255, in [-1, 1] units."""
    result = torch.zeros(1, 3, 32, 64)
    result[..., :32] = torch.tensor([spread / 2, 0, 0])[:, None, None]
    result[..., 32:] = torch.tensor([0.5, -0.5, 0])[:, None, None]
    everywhere, coloured = (
        automatic_hint(result, np.random.default_rng(2), 0.5, ignore)[0, 3]
        for ignore in (False, True)
    )
    assert everywhere[:, :32].any() and everywhere[:, 32:].any()
    assert torch.equal(coloured[:, 32:], everywhere[:, 32:])
    assert torch.equal(coloured[:, :32], everywhere[:, :32] * colourful)


@pytest.mark.parametrize("metric", ["fid", "psnr"])
@pytest.mark.parametrize("row", ["without_5", "without_4_5"])
def test_a_row_with_automatic_hints_colours_twice(
    metric: str,
    row: str,
    tmp_path: Path,
    scored: dict[tuple[str, ...], list[Scored]],
    passes: list[tuple[Tensor, Tensor, bool]],
) -> None:
    settings = [*SETTINGS, f"eval.metrics={metric}", "eval.auto_hint_std=0.1", "eval.limit=1"]
    config = presets.parse(f"manga/{row}", settings).as_config()
    papers.evaluate(config, None, None, tmp_path / "out", "cpu")
    hint, first, encoded = passes[0]
    assert not hint.any() and not encoded
    shown = first
    assert len(passes) == (2 if row == "without_5" else 1)
    if row == "without_5":
        hint, shown, encoded = passes[1]
        assert hint[:, 3].any() and torch.equal(hint[:, :3], first * hint[:, 3:])
        assert encoded and not torch.equal(shown, first)
    (measured,) = scored[(metric,)]
    height, width = measured.prediction.shape[2:]
    assert torch.equal(measured.prediction, to_bytes(unit(shown[..., :height, :width])))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("eval.auto_hint_std=-1", "eval.auto_hint_std is -1: use 0 to 1"),
        ("data.xdog.form=x", "the data table is wrong: there is no XDoG form 'x'"),
        ("data.xdog.test_scale=0", "data.xdog.test_scale is 0: use at least 1"),
    ],
)
def test_a_wrong_value_of_the_evaluation_is_told(
    setting: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError) as failure:
        evaluate(None, tmp_path, setting)
    assert str(failure.value).startswith(expected)


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute on a quiet core
def test_hints_everywhere_give_the_colours_of_the_hints(tmp_path: Path) -> None:
    """Section 11, after training on full masks; width 8, one page of 64 pixels."""
    recipe = overfit(
        "manga", tmp_path, "model.size=compact", "model.width=8", "model.extractor_width=8",
        "data.size=64", "data.count=1", "data.flip=false", "data.xdog.scales=1",
        "data.hint.full=1", "loss.aux=0", "loss.perceptual=0", "loss.white=0", "train.steps=1100",
        "train.batch=1", "optim.generator.lr=2e-3", "optim.generator.betas=0.9,0.99",
        "optim.decay_at=0.6", "optim.decay_factor=0.1",
    )  # fmt: skip
    (track,) = recipe.tracks
    page = collate([track.dataset[(0, 0)]])
    network = recipe.networks["generator"]

    def coloured(picture: Tensor) -> Tensor:
        everywhere = torch.cat((picture, torch.ones_like(picture[:, :1])), 1)
        with torch.no_grad(), in_eval_mode([network]):
            main: Tensor = network(page["line"], page["distance"], everywhere).main
        return main

    def apart(one: Tensor, other: Tensor) -> float:
        return float((one - other).abs().mean()) / 2

    result = coloured(page["color"])
    assert apart(coloured(result), result) < 2 / 255
    exchanged = page["color"][:, [2, 1, 0]]  # the page is not known by heart
    assert apart(coloured(exchanged), exchanged) < apart(page["color"], exchanged) / 2
