#!/usr/bin/env python3
"""Pictures for the cards of the shipped networks: the best and the worst of some dev pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from interactive import buffer
from PIL import Image, ImageDraw
from scoring import load_score
from shots import find_shots
from skimage.metrics import peak_signal_noise_ratio
from stills import SETS, drawings, tile
from variants import Drawing, without_borders

from backend.imaging.color import luma
from backend.imaging.composite import composite
from backend.imaging.planes import to_array
from backend.tasks import job
from backend.tasks.greyscale import colour_grey
from backend.tasks.lines import extract_lines
from training.data.files import read_pixels, to_gray, to_rgb
from training.pretrained import data_folder

OUT = Path(__file__).resolve().parents[1] / "docs" / "models"
SHOWN = 3  # of the best, and of the worst
TILE, GAP, TITLE = 150, 12, 16
QUALITY = 85
_NOT_SHOWN = {"walk_cycle"}  # of Synfig, GPL-3.0, which the cards' licence cannot take in
Cells = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """``examples``: what a network does, picture by picture, by title; the last one is the truth,
    and the one before it what came out, from which ``score`` follows, the higher the better.
    """

    examples: Callable[[Path, int], Iterator[Cells]]
    score: Callable[[np.ndarray, np.ndarray], float]


def exact(result: np.ndarray, truth: np.ndarray) -> float:
    """Share of the pixels that are right."""
    return float((np.abs(result.astype(int) - truth).max(-1) <= 3).mean())


def psnr(result: np.ndarray, truth: np.ndarray) -> float:
    """In decibels, of uint8 pictures."""
    return float(peak_signal_noise_ratio(truth, result))


def referred(model: str, *, painted: bool) -> Callable[[Path, int], Iterator[Cells]]:
    """Drawings after another one of their subject; ``painted``: with what the network paints."""

    def examples(data: Path, count: int) -> Iterator[Cells]:
        for drawing in _stills(data, "reference", count):
            assert drawing.reference is not None  # as the case says
            yield _after(model, drawing.line, drawing.reference, drawing.color, painted=painted)

    return examples


def filmed(data: Path, count: int) -> Iterator[Cells]:
    """The middle frame of shots after their first one."""
    for shot in find_shots(data, None, count // 3):
        if shot.name in _NOT_SHOWN:
            continue
        at = len(shot.lines) // 2
        yield _after("video", shot.lines[at], shot.colors[0], shot.colors[at], painted=True)


def hinted(data: Path, count: int) -> Iterator[Cells]:
    """Drawings by a hint in each region, without and with the border finder."""
    for drawing in _stills(data, "hints", count):
        assert drawing.hints is not None  # as the case says
        given = [buffer("hints", drawing.hints)]
        yield {
            "hints": _marked(drawing),
            "by lines alone": without_borders(drawing),
            "result": _coloured(drawing.line, given, {}),
            "truth": drawing.color,
        }


def half_hinted(model: str) -> Callable[[Path, int], Iterator[Cells]]:
    """Drawings by hints in half of their regions."""

    def examples(data: Path, count: int) -> Iterator[Cells]:
        for drawing in _stills(data, "hints", count, share=0.5):
            assert drawing.hints is not None  # as the case says
            given = [buffer("hints", drawing.hints)]
            yield {
                "half of the hints": _marked(drawing),
                "painted": _coloured(drawing.line, given, {"model": model, "soft": True}),
                "result": _coloured(drawing.line, given, {"model": model}),
                "truth": drawing.color,
            }

    return examples


def bare(model: str) -> Callable[[Path, int], Iterator[Cells]]:
    """Drawings of which nothing is told."""

    def examples(data: Path, count: int) -> Iterator[Cells]:
        for drawing in _stills(data, "hints", count):
            result = _coloured(drawing.line, [], {"model": model})
            yield {"lines": _rgb(drawing.line), "result": result, "truth": drawing.color}

    return examples


def greyed(model: str) -> Callable[[Path, int], Iterator[Cells]]:
    """Photographs and comic pages without their colours."""

    def examples(data: Path, count: int) -> Iterator[Cells]:
        photographs = sorted((data / "photos" / "dev").glob("*.jpg"))
        pages = sorted((data / "comics_peppercarrot" / "dev" / "color").iterdir())
        for path in [*photographs[: count // 2], *pages[: count - count // 2]]:
            truth = _small(to_rgb(read_pixels(path)[0]), 512)
            grey = np.rint(luma(truth)).astype(np.uint8)
            yield {"grey": _rgb(grey), "result": colour_grey(grey, model), "truth": truth}

    return examples


def drawn(data: Path, count: int) -> Iterator[Cells]:
    """The lines of finished pictures, by XDoG and by the network."""
    for drawing in _stills(data, "hints", count):
        yield {
            "picture": drawing.color,
            "XDoG": _rgb(extract_lines(drawing.color, "xdog")),
            "result": _rgb(extract_lines(drawing.color, "learned")),
            "the artist's": _rgb(to_gray(drawing.line)),
        }


CASES = {
    "matching": Case(referred("", painted=False), exact),
    "aaldc": Case(referred("aaldc", painted=True), exact),
    "video": Case(filmed, exact),
    "borders": Case(hinted, exact),
    "choosing": Case(bare("choosing"), psnr),
    "manga": Case(half_hinted("manga"), exact),
    "ibn_gan": Case(greyed("ibn_gan"), psnr),
    "smsanet": Case(greyed("smsanet"), psnr),
    "line_extractor": Case(drawn, psnr),
}


def _stills(data: Path, case: str, count: int, share: float = 1.0) -> Iterator[Drawing]:
    """As many dev drawings of each set."""
    score = load_score(data)
    if score is None:
        raise SystemExit(1)
    for name in SETS:
        yield from islice(drawings(score, data / name / "dev", case, share), count // len(SETS))


def _after(
    model: str, line: np.ndarray, reference: np.ndarray, truth: np.ndarray, *, painted: bool
) -> Cells:
    given, chosen = [buffer("reference_0", reference)], {"model": model} if model else {}
    soft = {"painted": _coloured(line, given, chosen | {"soft": True})} if painted else {}
    result = _coloured(line, given, chosen)
    return {"lines": _rgb(line), "reference": reference, **soft, "result": result, "truth": truth}


def _coloured(line: np.ndarray, given: list[Any], options: dict[str, Any]) -> np.ndarray:
    """(H, W, 3) uint8: the lines over what the program makes of them."""
    outcome = job.run(
        "layer",
        [buffer("line", np.ascontiguousarray(line)), *given],
        {"outputs": ["flats"], **options},
        progress=lambda fraction, stage: None,
        cancelled=lambda: False,
    )
    flats = next(plane for plane in outcome.outputs if plane.name == "flats")
    return np.ascontiguousarray(composite(line, to_array(flats))[..., :3])


def _marked(drawing: Drawing) -> np.ndarray:
    """The lines with hints that can be seen at the size of a tile."""
    assert drawing.hints is not None
    reach = max(3, round(max(drawing.line.shape) / 60))
    wide = cv2.dilate(drawing.hints, np.ones((reach, reach), np.uint8))
    shown: np.ndarray = np.where(wide[..., 3:] > 0, wide[..., :3], _rgb(drawing.line))
    return shown


def _rgb(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(to_rgb(picture))


def _small(picture: np.ndarray, side: int) -> np.ndarray:
    scale = min(1.0, side / max(picture.shape[:2]))
    size = [max(1, round(length * scale)) for length in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def lay_out(best: list[Cells], worst: list[Cells]) -> Image.Image:
    """The best on the left, the worst on the right, a row each, with titles."""
    titles = list(best[0])
    block = TILE * len(titles)
    page = Image.new(
        "RGB", (2 * block + 3 * GAP, max(len(best), len(worst)) * TILE + 2 * TITLE + GAP), "white"
    )
    pen = ImageDraw.Draw(page)
    for number, (word, cells) in enumerate((("best", best), ("worst", worst))):
        left = GAP + number * (block + GAP)
        pen.text((left, 2), word, fill="black")
        for column, title in enumerate(titles):
            pen.text((left + column * TILE + 4, TITLE), title, fill="dimgray")
        for row, example in enumerate(cells):
            for column, picture in enumerate(example.values()):
                at = left + column * TILE, 2 * TITLE + row * TILE
                page.paste(Image.fromarray(tile(picture, TILE)), at)
    return page


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--count", type=int, default=24, help="pictures to choose from")
    options = parser.parse_args()
    data = data_folder()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        case = CASES[name]
        examples = list(case.examples(data, options.count))
        if len(examples) < 2 * SHOWN:
            print(f"{name}: {data} has too few pictures", file=sys.stderr)
            return 1
        examples.sort(key=lambda cells: case.score(*list(cells.values())[-2:]), reverse=True)
        path = OUT / f"{name}.jpg"
        lay_out(examples[:SHOWN], examples[-SHOWN:]).save(path, quality=QUALITY, optimize=True)
        print(f"{path}: best and worst of {len(examples)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
