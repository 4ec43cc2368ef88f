#!/usr/bin/env python3
"""Colours the dev drawings, whole and with parts of the program left out; see README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from scoring import load_score
from variants import VARIANTS, Drawing

from training.metrics.deep import load_lpips
from training.metrics.frechet import FrechetDistance, load_pooled_squeezenet
from training.pretrained import data_folder

HERE = Path(__file__).resolve().parent
SETS = ("pairs_avatars", "pairs_scratch", "pairs_gophers", "pairs_openmoji")
FIGURES = ("count", "regions", "exact", "psnr", "ssim", "lpips", "frechet")
CASES = (("hints", 1.0), ("hints", 0.5), ("reference", 1.0))
TILE = 192
COLUMNS = 8
Row = dict[str, Any]


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
        tiles.append(np.hstack([tile(one) for one in (*first, picture, drawing.color)]))
    columns = max(1, COLUMNS * TILE // tiles[0].shape[1])
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    Image.fromarray(np.vstack(rows)).save(path)


def tile(picture: np.ndarray, side: int = TILE) -> np.ndarray:
    """(side, side, 3) uint8: the whole picture in the middle of a white square."""
    height, width = picture.shape[:2]
    scale = (side - 8) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    right, bottom = side - size[0] - left, side - size[1] - top
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
