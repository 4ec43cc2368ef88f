#!/usr/bin/env python3
"""Measures Nuri on this machine and prints one table; see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from daemons import EchoDaemon, PrivateDaemon
from rich.console import Console
from rich.table import Table
from scenes import Scene, garden

from backend.imaging import io
from protocol.client import Client
from protocol.pixels import PixelBuffer, PixelFormat

HERE = Path(__file__).resolve().parent
GMIC_OPTIONS = "1,95,0,0,1,24,200,0,75,2,60,20,90,1,10,1,0"


@dataclass(frozen=True)
class Row:
    """One measurement. ``seconds`` is the best of the repeats; ``exact`` the share of the pixels
    off the lines that have their true colour."""

    name: str
    seconds: float
    median: float
    beside: str = ""
    beside_seconds: float | None = None
    exact: float | None = None
    beside_exact: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as long what stands beside takes."""
        return self.beside_seconds / self.seconds if self.beside_seconds else None


def timed(repeats: int, call: Callable[[], object]) -> list[float]:
    """Seconds of each call."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def exact_share(picture: np.ndarray, scene: Scene) -> float:
    """Share of the pixels off the lines with exactly the true colour; nothing painted is paper."""
    colour = picture[..., :3]
    if picture.shape[2] == 4:
        colour = np.where(picture[..., 3:] == 0, 255, colour)
    return float((colour == scene.truth).all(axis=2)[scene.off_line].mean())


def measure_flats(size: int, repeats: int, daemon: PrivateDaemon, folder: Path) -> Row:
    """The whole call of `nuri colorize` on a warm daemon, and G'MIC in turns with it."""
    scene = garden(size)
    line, hints = folder / f"{size}.line.png", folder / f"{size}.hints.png"
    ours, theirs = folder / f"{size}.nuri.png", folder / f"{size}.gmic.png"
    line.write_bytes(io.encode_png(scene.line))
    hints.write_bytes(io.encode_png(scene.hints))
    gmic = shutil.which("gmic")
    command = ["gmic", "-v", "-", str(hints), str(line), "fx_colorize_lineart_smart", GMIC_OPTIONS]
    command += ["k[2]", "o", str(theirs)]
    seconds: list[float] = []
    gmic_seconds: list[float] = []
    daemon.nuri("colorize", line, "--hints", hints, "-o", ours, "-q")  # pages of memory, caches
    for _ in range(repeats):
        call = ("colorize", line, "--hints", hints, "-o", ours, "-q")
        seconds += timed(1, lambda call=call: daemon.nuri(*call))
        if gmic:
            gmic_seconds += timed(1, lambda: subprocess.run(command, check=True))
    return Row(
        f"colorize, {size} x {size}",
        min(seconds),
        statistics.median(seconds),
        "G'MIC smart coloring" if gmic else "",
        min(gmic_seconds) if gmic else None,
        exact_share(io.read_image(ours.read_bytes(), ours.name), scene),
        exact_share(io.read_image(theirs.read_bytes(), theirs.name), scene) if gmic else None,
    )


def measure_round_trip(repeats: int, folder: Path) -> Row:
    """4096 x 4096 BGRA, 64 MB there and 64 MB back, through the daemon and its worker."""
    pixels = np.random.default_rng(0).integers(0, 256, (4096, 4096, 4), np.uint8)
    plane = PixelBuffer("picture", 4096, 4096, PixelFormat.bgra8, pixels.reshape(-1).data)
    with EchoDaemon(folder) as daemon, Client.connect(timeout=30) as client:

        def round_trip() -> None:
            result = client.submit("echo", [plane], keep=False).result(timeout=60)
            if len(result.outputs[0].data) != pixels.nbytes:
                raise RuntimeError("the echo is incomplete")

        round_trip()
        seconds = timed(repeats, round_trip)
        del daemon
    copy = min(timed(repeats, lambda: (pixels.copy(), pixels.copy())))
    return Row(
        "64 MB there and back", min(seconds), statistics.median(seconds), "copied in memory", copy
    )


def measure_start(repeats: int, daemon: PrivateDaemon) -> Row:
    """`nuri status` from the shell to the answer of a running daemon, beside an empty Python."""
    seconds = timed(repeats, lambda: daemon.nuri("status"))
    empty = min(timed(repeats, lambda: subprocess.run([sys.executable, "-c", ""], check=True)))
    return Row("nuri status", min(seconds), statistics.median(seconds), "python -c ''", empty)


def measure_files(repeats: int) -> list[Row]:
    """Reading and writing a PNG of 4096 x 4096, beside OpenCV as it comes."""
    scene = garden(4096)
    picture = scene.truth.copy()
    picture[~scene.off_line] = 0
    data = io.encode_png(picture)
    raw = np.frombuffer(data, np.uint8)
    reading = timed(repeats, lambda: io.read_image(data, "picture.png"))
    writing = timed(repeats, lambda: io.encode_png(picture))
    read = min(timed(repeats, lambda: cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)))
    write = min(timed(repeats, lambda: cv2.imencode(".png", picture)))
    median = statistics.median
    return [
        Row("read PNG, 4096 x 4096 RGB", min(reading), median(reading), "OpenCV", read),
        Row("write PNG, 4096 x 4096 RGB", min(writing), median(writing), "OpenCV", write),
    ]


def show(rows: list[Row]) -> None:
    """The table."""
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, best of the repeats")
    for name in ("", "Nuri", "median", "exact", "beside", "best", "exact", "ratio"):
        justify = "left" if name in ("", "beside") else "right"
        table.add_column(name, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(
            row.name,
            f"{row.seconds:.3f} s",
            f"{row.median:.3f} s",
            "" if row.exact is None else f"{row.exact:.2%}",
            row.beside,
            "" if row.beside_seconds is None else f"{row.beside_seconds:.3f} s",
            "" if row.beside_exact is None else f"{row.beside_exact:.2%}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[512, 1024, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "latest.json")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="nuri-") as name:
        folder = Path(name)
        rows.append(measure_round_trip(options.repeats, folder / "echo"))
        with PrivateDaemon(folder / "daemon") as daemon:
            rows.append(measure_start(options.repeats, daemon))
            for size in options.sizes:
                rows.append(measure_flats(size, options.repeats, daemon, folder))
        rows += measure_files(options.repeats)
    show(rows)
    facts = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(facts, indent=1))
    print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
