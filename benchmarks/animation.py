#!/usr/bin/env python3
"""Colours the dev animations from their key frames and says how right that is; see README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scoring import load_score
from shots import Shot, find_shots, flicker

from backend.imaging import planes
from backend.imaging.ground import laid_on_white
from backend.tasks import job
from protocol.pixels import PixelBuffer, PixelFormat
from training.metrics import quality
from training.pretrained import data_folder

HERE = Path(__file__).resolve().parent
KEYS = (1, 2, 3, 5)
SIDE = 256  # of the paper's protocol (Shi et al. 2023)
FIGURES = ("count", "exact", "psnr", "ssim", "flicker", "seconds")
Row = dict[str, Any]
RegionScore = Callable[[np.ndarray, np.ndarray, np.ndarray], dict[str, float]]


def key_places(count: int, keys: int) -> list[int]:
    """Frames spread evenly from the first to the last; one key is the first."""
    return sorted({round(place) for place in np.linspace(0, count - 1, keys)})


def colour(shot: Shot, keys: Sequence[int], wanted: Sequence[int]) -> Iterator[np.ndarray]:
    """The frames ``wanted``, (H, W, 3) uint8, as `nuri animate` writes them."""
    inputs = []
    for number, at in enumerate(keys):
        inputs.append(planes.to_plane(f"key{number}", shot.colors[at], PixelFormat.rgb8))
        inputs.append(planes.to_plane(f"line{number}", shot.lines[at], PixelFormat.gray8))
    memory: dict[str, Any] = {}
    for frame, at in enumerate(wanted):
        outcome = job.run(
            "animation",
            [*inputs, planes.to_plane("line", shot.lines[at], PixelFormat.gray8)],
            {"keys": list(keys), "outputs": ["picture"]},
            progress=lambda fraction, stage: None,
            cancelled=lambda: False,
            frame=frame,
            facts={"time": at},
            memory=memory,
        )
        if not outcome.outputs:
            raise RuntimeError(f"{shot.name}, frame {at}: {outcome.facts.get('error')}")
        (picture,) = outcome.outputs
        assert isinstance(picture, PixelBuffer)  # as no encoding was asked for
        yield laid_on_white(planes.to_array(picture))


def picture_score(result: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """PSNR in dB and SSIM at SIDE x SIDE."""
    small = []
    for picture in (result, truth):
        resized = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        small.append(torch.from_numpy(resized).permute(2, 0, 1)[None])
    return {"psnr": float(quality.psnr(*small)), "ssim": float(quality.ssim(*small))}


def measure(shot: Shot, keys: int, score: RegionScore | None) -> Row:
    """Means over the frames of a shot that are no keys; ``rows`` has each of them.

    Flicker is measured on the shot as it plays, key frames and all.
    """
    places = key_places(len(shot.lines), keys)
    wanted = [at for at in range(len(shot.lines)) if at not in places]
    played = list(shot.colors)
    rows: list[Row] = []
    results = colour(shot, places, wanted)
    for at in wanted:
        started = time.perf_counter()
        played[at] = next(results)
        row: Row = {"frame": at, "seconds": time.perf_counter() - started}
        row |= picture_score(played[at], shot.colors[at])
        if score:
            found = score(played[at], shot.colors[at], shot.regions(at))
            row |= {name: found[name] for name in ("count", "exact") if name in found}
        rows.append(row)
    return {
        "set": shot.kind,
        "shot": shot.name,
        "keys": keys,
        "flicker": flicker(shot, played),
        "rows": rows,
    }


def common_frames(shots: Sequence[Row]) -> dict[str, set[int]]:
    """By shot: the frames that are a key at no number of keys, to compare these numbers by."""
    common: dict[str, set[int]] = {}
    for shot in shots:
        frames = {row["frame"] for row in shot["rows"]}
        common[shot["shot"]] = common.get(shot["shot"], frames) & frames
    return common


def summarise(shots: Sequence[Row], frames: dict[str, set[int]] | None = None) -> Row:
    """Means over the frames, all or those named; of flicker over the shots."""
    rows = [
        row
        for shot in shots
        for row in shot["rows"]
        if frames is None or row["frame"] in frames[shot["shot"]]
    ]
    known = {name: [row[name] for row in rows if name in row] for name in FIGURES}
    known["flicker"] = [shot["flicker"] for shot in shots if shot["flicker"] is not None]
    means = {name: statistics.fmean(values) for name, values in known.items() if values}
    return {"shots": len(shots), "frames": len(rows), **means}


def tables(measured: Sequence[Row]) -> list[Row]:
    """By set with the first and the last frame given; then over all sets by number of keys."""
    two = [shot for shot in measured if shot["keys"] == 2]
    kinds = sorted({shot["set"] for shot in two})
    found = [
        {"name": f"{kind}, 2 keys", **summarise([s for s in two if s["set"] == kind])}
        for kind in kinds
    ]
    common = common_frames(measured)
    for keys in sorted({shot["keys"] for shot in measured}):
        some = [shot for shot in measured if shot["keys"] == keys]
        found.append({"name": f"same frames, {keys} keys", **summarise(some, common)})
    return found


def show(rows: Sequence[Row]) -> None:
    """The table."""
    table = Table(title="Animation: dev shots coloured from their key frames")
    for name in ("", "shots", "frames", *FIGURES):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in rows:
        cells = [f"{row[name]:.3f}" if name in row else "" for name in FIGURES]
        table.add_row(row["name"], str(row["shots"]), str(row["frames"]), *cells)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", help="such as anim_noto (default: every anim_ set)")
    parser.add_argument("--keys", type=int, nargs="*", default=KEYS)
    parser.add_argument("--shots", type=int, default=1000, help="at most so many of each set")
    parser.add_argument("--part", choices=("dev", "train"), default="dev", help="train was learnt")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "animation.json")
    options = parser.parse_args()
    data = data_folder()
    shots = list(find_shots(data, options.sets, options.shots, options.part))
    if not shots:
        print(f"nothing to measure: {data} has no such animations (NURI_DATA)", file=sys.stderr)
        return 1
    module = load_score(data)
    score = None if module is None else module.region_accuracy
    measured = []
    for shot in shots:
        for keys in options.keys:
            measured.append(measure(shot, keys, score))
            print(f"{shot.kind} {shot.name}, {keys} keys", file=sys.stderr, flush=True)
    rows = tables(measured)
    show(rows)
    facts = {"cores": os.cpu_count(), "rows": rows, "shots": measured}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(facts, indent=1))
    print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
