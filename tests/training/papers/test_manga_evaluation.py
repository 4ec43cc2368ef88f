"""Table 1 of MangaGAN: colourings of black-and-white pages beside held-out colour pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import papers, presets
from training.papers.scoring import Evaluation, Examination, Scored

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
