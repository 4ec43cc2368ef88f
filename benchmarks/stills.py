#!/usr/bin/env python3
"""Colours the dev drawings, whole and with parts of the program left out; see README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import cv2
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from scoring import load_score

from backend.models.registry import BORDERS, MATCHER, PAINTERS
from backend.regions.describe import to_square
from backend.tasks import completion
from backend.tasks.borders import find_borders
from backend.tasks.canvas import Canvas, read_canvas
from backend.tasks.flats import colour_flats, composite
from backend.tasks.layer import colour_layer
from backend.tasks.sources import Source, facing, read_source, view_of
from backend.tasks.voting import vote
from backend.weights import store
from training.metrics.deep import load_lpips
from training.metrics.frechet import FrechetDistance, load_pooled_squeezenet
from training.pretrained import data_folder

HERE = Path(__file__).resolve().parent
SETS = ("pairs_avatars", "pairs_scratch", "pairs_gophers", "pairs_openmoji")
FIGURES = ("count", "regions", "exact", "psnr", "ssim", "lpips", "frechet")
TILE = 192
COLUMNS = 8
Row = dict[str, Any]


@dataclass(frozen=True)
class Drawing:
    """What a system is given, (H, W) lines with hints or a source, and ``color``, the truth."""

    line: np.ndarray
    color: np.ndarray
    seg: np.ndarray
    hints: np.ndarray | None = None
    reference: np.ndarray | None = None


def drawings(score: ModuleType, folder: Path, case: str, share: float) -> Iterator[Drawing]:
    """Those of a set as the evaluation script chooses and orders them."""
    index = json.loads((folder / "index.json").read_text())
    score.random.Random(0).shuffle(index)
    poses: dict[str, list[str]] = {}
    for item in index:
        item["identity"] = item.get("character") or item.get("identity") or item["id"]
        if item.get("variant") != "c":
            poses.setdefault(item["identity"], []).append(item["id"])
    for item in index:
        name, others = item["id"], poses.get(item["identity"], [])
        if case == "reference" and (len(others) < 2 or item.get("variant") == "c"):
            continue
        line = np.asarray(Image.open(score.find(folder / "line", name)))
        color = score.read_rgb(score.find(folder / "color", name))
        maps = sorted((folder / "seg").glob(f"{name}.*"))
        seg = score.read_seg(maps[0]) if maps else score.closed_regions(line, color)
        if case == "hints":
            hints = score.make_hints(color, seg, share, 0)
            if hints[..., 3].any():  # a share of few regions may be none
                yield Drawing(line, color, seg, hints=hints)
        else:
            other = next(one for one in others if one != name)
            shown = Image.open(score.find(folder / "color", other)).convert("RGB")
            yield Drawing(line, color, seg, reference=np.asarray(score.moved(shown)))


def whole(drawing: Drawing) -> np.ndarray:
    """As the program colours it."""
    return _colour(drawing, borders=True)


def without_borders(drawing: Drawing) -> np.ndarray:
    """Gaps closed, and areas divided, as far as lines tell."""
    return _colour(drawing, borders=False)


def without_matcher(drawing: Drawing) -> np.ndarray:
    """Flats: areas without a hint stay as they are."""
    return _over(drawing.line, colour_flats(drawing.line, drawing.hints).flats)


def by_pixels(drawing: Drawing) -> np.ndarray:
    """Each pixel the paint that the matcher finds likeliest for it; no regions."""
    return _by_pixels(drawing, mixed=False)


def mixed(drawing: Drawing) -> np.ndarray:
    """Each pixel the mean of the paints, as likely as they are; neither regions nor snapping."""
    return _by_pixels(drawing, mixed=True)


def without_laying(model: str) -> Callable[[Drawing], np.ndarray]:
    """No reference laid on the drawing: the word of the matcher, or of a painter, alone."""

    def paint(drawing: Drawing) -> np.ndarray:
        with mock.patch.object(completion, "lay_views", return_value=None):
            return _colour(drawing, borders=True, model=model)

    return paint


def the_truth(drawing: Drawing) -> np.ndarray:
    """What could be reached at most: rims that fade into the line count against the truth, too."""
    return drawing.color


VARIANTS: dict[str, dict[str, Callable[[Drawing], np.ndarray]]] = {
    "reference": {
        "whole": whole,
        "no laying": without_laying(MATCHER),
        "no regions": by_pixels,
        "no regions, no snapping": mixed,
        **{f"{name}, no laying": without_laying(name) for name in PAINTERS},
    },
    "hints": {
        "whole": whole,
        "no border finder": without_borders,
        "no matcher": without_matcher,
        "the truth": the_truth,
    },
}
CASES = (("hints", 1.0), ("hints", 0.5), ("reference", 1.0))


def _colour(drawing: Drawing, *, borders: bool, model: str = MATCHER) -> np.ndarray:
    sources = [] if drawing.reference is None else [read_source(drawing.reference)]
    network = store.load(BORDERS) if borders and drawing.hints is not None else None
    result = colour_layer(
        read_canvas(drawing.line),
        lambda: store.load(model),
        hints=drawing.hints,
        sources=sources,
        borders=None if network is None else lambda ink, given: find_borders(network, ink, given),
    )
    return _over(drawing.line, result.flats)


def _by_pixels(drawing: Drawing, *, mixed: bool) -> np.ndarray:
    assert drawing.reference is not None  # as CASES and VARIANTS say
    canvas, source = read_canvas(drawing.line), read_source(drawing.reference)
    view = view_of(canvas, canvas.chambers.label)
    pixels = vote(store.load(MATCHER), view, source, facing(view, source)).pixels
    palette = source.areas.palette.astype(np.float32)
    total = pixels.sum(-1, keepdims=True)
    picture = pixels @ palette / np.maximum(total, 1e-6) if mixed else palette[pixels.argmax(-1)]
    paper = palette[source.ground] if source.ground >= 0 else np.full(3, 255, np.float32)
    picture = np.where(total > 0, picture, paper)
    return _over(drawing.line, _on_canvas(picture, canvas, source, view.box))


def _on_canvas(picture: np.ndarray, canvas: Canvas, source: Source, box: Any) -> np.ndarray:
    height, width = canvas.ink.shape
    paper = source.areas.palette[source.ground].tolist() if source.ground >= 0 else [255] * 3
    placed = cv2.warpAffine(
        picture.astype(np.float32),
        to_square(box, picture.shape[0]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )
    full = cv2.resize(placed, canvas.dark.shape[::-1], interpolation=cv2.INTER_LINEAR)
    solid = np.full((*full.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.rint(full).astype(np.uint8), solid], axis=-1)


def _over(line: np.ndarray, flats: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(composite(line, flats)[..., :3])


class Perceived:
    """LPIPS and a Fréchet distance on SqueezeNet's features, where its weights are at hand."""

    def __init__(self) -> None:
        self._lpips, encoder = load_lpips("squeeze"), load_pooled_squeezenet()
        self._frechet = None if encoder is None else FrechetDistance("frechet", encoder)

    @torch.inference_mode()
    def add(self, result: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        one, other = (
            torch.tensor(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
            for picture in (result, truth)
        )
        if self._frechet is not None:
            self._frechet.update(one, other)
        return {} if self._lpips is None else {"lpips": float(self._lpips(one, other))}

    def distance(self) -> dict[str, float]:
        (found,) = [None] if self._frechet is None else self._frechet.compute()
        return {} if found is None or found.value is None else {"frechet": found.value}


def measure(
    score: ModuleType, given: list[Drawing], paint: Callable[[Drawing], np.ndarray]
) -> tuple[Row, list[np.ndarray]]:
    """Means over the drawings, and the pictures."""
    perceived, rows, pictures = Perceived(), [], []
    for drawing in given:
        picture = paint(drawing)
        pictures.append(picture)
        row = score.score(picture, drawing.color, drawing.seg)
        rows.append(row | perceived.add(picture, drawing.color))
    means = {
        name: statistics.fmean(row[name] for row in rows if name in row)
        for name in FIGURES
        if any(name in row for row in rows)
    }
    return {"drawings": len(rows), **means, **perceived.distance()}, pictures


def sheet(given: list[Drawing], pictures: list[np.ndarray], path: Path) -> None:
    """What was given, what came of it and the truth, side by side."""
    tiles = []
    for drawing, picture in zip(given, pictures, strict=True):
        line = drawing.line if drawing.line.ndim == 3 else cv2.merge([drawing.line] * 3)
        shown = line[..., :3]
        if drawing.hints is not None:
            shown = np.where(drawing.hints[..., 3:] > 0, drawing.hints[..., :3], shown)
        first = [shown] if drawing.reference is None else [shown, drawing.reference]
        tiles.append(np.hstack([_tile(one) for one in (*first, picture, drawing.color)]))
    columns = max(1, COLUMNS * TILE // tiles[0].shape[1])
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    Image.fromarray(np.vstack(rows)).save(path)


def _tile(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = (TILE - 8) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    left, top = (TILE - size[0]) // 2, (TILE - size[1]) // 2
    right, bottom = TILE - size[0] - left, TILE - size[1] - top
    white = cv2.BORDER_CONSTANT
    return np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, white, value=[255] * 3))


def show(rows: list[Row]) -> None:
    """The table."""
    table = Table(title="Stills: dev drawings, the program whole and without parts of it")
    for name in ("set", "case", "", "drawings", *FIGURES):
        table.add_column(name, justify="left" if name in ("set", "case", "") else "right")
    for row in rows:
        cells = [f"{row[name]:.3f}" if name in row else "" for name in FIGURES]
        table.add_row(row["set"], row["case"], row["variant"], str(row["drawings"]), *cells)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--limit", type=int, default=40, help="drawings of a set")
    parser.add_argument("--whole", action="store_true", help="leave nothing out")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "stills.json")
    options = parser.parse_args()
    data = data_folder()
    score = load_score(data)
    if score is None:
        return 1
    rows = []
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name in options.sets:
        for case, share in CASES:
            chosen = drawings(score, data / name / "dev", case, share)
            given = [drawing for drawing, _ in zip(chosen, range(options.limit), strict=False)]
            if not given:
                continue
            title = case if share == 1 else f"{case} for {share:.0%} of the regions"
            for variant, paint in VARIANTS[case].items():
                if options.whole and variant != "whole":
                    continue
                means, pictures = measure(score, given, paint)
                rows.append({"set": name, "case": title, "variant": variant, **means})
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                if variant == "whole":
                    stem = f"{options.json.stem}-{name}-{case}-{round(100 * share)}.png"
                    sheet(given, pictures, options.json.with_name(stem))
    show(rows)
    options.json.write_text(json.dumps({"cores": os.cpu_count(), "rows": rows}, indent=1))
    print(f"written to {options.json}, with a sheet of pictures for each set and case")
    return 0


if __name__ == "__main__":
    sys.exit(main())
