#!/usr/bin/env python3
"""What an artist waits for, in the calls that Krita makes; see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from daemons import PrivateDaemon
from rich.console import Console
from rich.table import Table
from scenes import Scene, garden

from protocol.client import Client
from protocol.pixels import PixelBuffer, PixelFormat

HERE = Path(__file__).resolve().parent
FIRST, EDITED, FRAME, LARGE = 576, 1024, 512, 4096
FRAMES = 8
STREAMED, STREAM_SIDE = 500, 2048


@dataclass(frozen=True)
class Row:
    """One measurement: seconds, best and median, or the most memory of a process in MB."""

    name: str
    best: float
    median: float
    unit: str = "s"


def buffer(name: str, pixels: np.ndarray) -> PixelBuffer:
    """Pixels (H, W), (H, W, 3) or (H, W, 4) uint8 as they travel."""
    kind = {2: "gray8"}.get(pixels.ndim) or ("rgb8" if pixels.shape[2] == 3 else "rgba8")
    data = np.ascontiguousarray(pixels).reshape(-1).data
    return PixelBuffer(name, pixels.shape[1], pixels.shape[0], PixelFormat(kind), data)


def half_of(hints: np.ndarray, seed: int) -> np.ndarray:
    """The hints (H, W, 4) with every second dot left out, so that the network has work."""
    _, dots = cv2.connectedComponents((hints[..., 3] > 0).astype(np.uint8))
    keep = np.random.default_rng(seed).random(int(dots.max()) + 1) < 0.5
    keep[0] = False
    return np.where(keep[dots][..., None], hints, 0).astype(np.uint8)


def moved(scene: Scene, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Lines and colours of a scene some pixels further to the right and down."""
    shift = np.float32([[1, 0, step], [0, 1, step // 2]])
    size = scene.line.shape[::-1]
    line = cv2.warpAffine(scene.line, shift, size, borderValue=255)
    truth = cv2.warpAffine(
        scene.truth, shift, size, flags=cv2.INTER_NEAREST, borderValue=(255, 255, 255)
    )
    return line, truth


def measure_first(client: Client, repeats: int) -> list[Row]:
    """The first colouring of a drawing, by half of its hints and by a reference."""
    hinted, referred = [], []
    for seed in range(1, repeats + 2):
        scene = garden(FIRST, seed)
        line, reference = buffer("line", scene.line), moved(scene, FIRST // 30)[1]
        for seconds, other in (
            (hinted, buffer("hints", half_of(scene.hints, seed))),
            (referred, buffer("reference_0", reference)),
        ):
            started = time.perf_counter()
            client.submit("layer", [line, other], {"outputs": ["flats"]}, keep=False).result(60)
            seconds.append(time.perf_counter() - started)
            # lines that nothing is known of yet, for the second colouring, too
            line = buffer("line", garden(FIRST, 1000 + seed).line)
    title = f"first colouring, {FIRST} px"
    return [
        Row(f"{title}, half of the hints", min(hinted[1:]), statistics.median(hinted[1:])),
        Row(f"{title}, one reference", min(referred[1:]), statistics.median(referred[1:])),
    ]


def measure_edit(client: Client, repeats: int) -> list[Row]:
    """Other hints for lines that are known, beside the first colouring of such lines."""
    first, edited = [], []
    for seed in range(1, repeats + 1):
        scene = garden(EDITED, seed)
        line = buffer("line", scene.line)
        for turn, seconds in enumerate((first, edited, edited)):
            hints = buffer("hints", half_of(scene.hints, 10 * seed + turn))
            started = time.perf_counter()
            client.submit("layer", [line, hints], {"outputs": ["flats"]}, keep=False).result(60)
            seconds.append(time.perf_counter() - started)
    return [
        Row(f"first colouring, {EDITED} px", min(first), statistics.median(first)),
        Row(f"hint edited, {EDITED} px", min(edited), statistics.median(edited)),
    ]


def stream(client: Client, side: int, count: int) -> list[float]:
    """Seconds to each of the ``count`` frames of a shot between two key frames from the one before;
    the first waits for the key frames to be read, too.
    """
    scene = garden(side)
    planes = []
    for number, step in enumerate((-1, count)):
        line, colour = moved(scene, step)
        planes += [buffer(f"key{number}", colour), buffer(f"line{number}", line)]
    options = {"keys": [-1, count], "outputs": ["flats", "confidence"]}
    arrived = [time.perf_counter()]
    job = client.submit("animation", planes, options, frames=count, keep=False)
    lines = ([buffer("line", moved(scene, step)[0])] for step in range(count))
    for _ in job.stream(lines):
        arrived.append(time.perf_counter())
    return list(np.diff(arrived))


def measure_frames(client: Client) -> Row:
    """One more frame of a shot with two key frames, which the backend has read."""
    seconds = stream(client, FRAME, FRAMES + 1)[1:]
    return Row(f"one more frame, {FRAME} px, two keys", min(seconds), statistics.median(seconds))


def most_memory(daemon: PrivateDaemon) -> dict[str, float]:
    """MB that the daemon and its worker have had at most, by name."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(daemon.process_id)], capture_output=True, check=True
    )
    own, *others = (_peak(pid) for pid in (daemon.process_id, *map(int, found.stdout.split())))
    return {"daemon": own, "worker": max(others)}


def _peak(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_memory(folder: Path) -> list[Row]:
    """Of the worker, after one page by half of the hints and by a reference."""
    rows = []
    for name in ("half of the hints", "one reference"):
        scene = garden(LARGE)
        line = buffer("line", scene.line)
        other = buffer("hints", half_of(scene.hints, 1))
        if name == "one reference":
            other = buffer("reference_0", moved(scene, LARGE // 30)[1])
        with warm(folder / name.replace(" ", "-")) as (daemon, client):
            client.submit("layer", [line, other], {"outputs": ["flats"]}, keep=False).result(300)
            peak = most_memory(daemon)["worker"]
        rows.append(Row(f"worker's memory, {LARGE} x {LARGE}, {name}", peak, peak, "MB"))
    return rows


def measure_stream(folder: Path) -> list[Row]:
    """Of both processes, while 500 frames of 2048 x 2048 go through."""
    with warm(folder / "stream") as (daemon, client):
        seconds = stream(client, STREAM_SIDE, STREAMED)
        peaks = most_memory(daemon)
    title = f"{STREAMED} frames of {STREAM_SIDE} px"
    rows = [Row(f"{title}: memory of the {n}", peak, peak, "MB") for n, peak in peaks.items()]
    return [*rows, Row(f"{title}: one of them", min(seconds), statistics.median(seconds))]


@contextmanager
def warm(folder: Path) -> Iterator[tuple[PrivateDaemon, Client]]:
    """A daemon of the measurement's own, and a client of it."""
    with PrivateDaemon(folder) as daemon, Client.connect(timeout=30) as client:
        yield daemon, client


def show(rows: list[Row]) -> None:
    """The table."""
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores")
    for name, justify in (("", "left"), ("best", "right"), ("median", "right")):
        table.add_column(name, justify=justify, no_wrap=True)
    for row in rows:
        digits = 0 if row.unit == "MB" else 2
        table.add_row(row.name, *(f"{v:.{digits}f} {row.unit}" for v in (row.best, row.median)))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--stream", action="store_true", help=f"also {STREAMED} frames of {STREAM_SIDE} px; long"
    )
    parser.add_argument("--json", type=Path, default=HERE / "results" / "interactive.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nuri-") as name:
        folder = Path(name)
        with warm(folder / "daemon") as (_, client):
            rows = [*measure_first(client, options.repeats), *measure_edit(client, options.repeats)]
            rows.append(measure_frames(client))
        rows += measure_memory(folder)
        if options.stream:
            rows += measure_stream(folder)
    show(rows)
    facts = {"machine": platform.platform(), "load": os.getloadavg()}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(facts | {"rows": [asdict(row) for row in rows]}, indent=1))
    print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
