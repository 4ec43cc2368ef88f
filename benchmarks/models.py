#!/usr/bin/env python3
"""Measures the networks beside the figures of their specifications; see README.md beside this."""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# the allocator keeps its pages between layers, as when the anchors were measured
ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
}
QUIET = 0.06


def with_allocator() -> None:
    """Start this program again with the allocator's settings, which it reads only at its start."""
    if any(os.environ.get(key) != value for key, value in ALLOCATOR.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})


if __name__ == "__main__":
    with_allocator()

import torch  # noqa: E402
from networks import CASES, YARDSTICK, Anchor, Case  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from backend.models.folding import fast_form, fold_spectral_norm, to_fast  # noqa: E402
from backend.models.precision import native_bfloat16  # noqa: E402


@dataclass(frozen=True)
class Timing:
    """Milliseconds: median over the samples that no other process disturbed, of which ``quiet``
    were; with none, over all samples."""

    milliseconds: float
    quiet: int


@dataclass(frozen=True)
class Row:
    """One network. ``fast_error``: largest difference of the fast form from the plain one."""

    name: str
    parameters: int
    gmac: float
    anchor: Anchor
    plain: Timing
    fast: Timing
    fast_error: float

    def ratio(self, timing: Timing, threads: int) -> float | None:
        """How many times as long the anchor takes."""
        beside = self.anchor.two_threads if threads > 1 else self.anchor.one_thread
        return beside / timing.milliseconds if beside else None


def busy_seconds() -> float:
    """Seconds of processor time that the whole machine has spent."""
    if not Path("/proc/stat").exists():
        return time.process_time()
    fields = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, soft, steal = fields[:8]
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def timed(call: Callable[[], object], repeats: int) -> Timing:
    """Each sample is at least 0.25 s long; two calls go before."""
    call()
    started = time.perf_counter()
    call()
    loops = max(1, round(0.25 / (time.perf_counter() - started)))
    samples, quiet = [], []
    for _ in range(repeats):
        wall, own, all_ = time.perf_counter(), time.process_time(), busy_seconds()
        for _ in range(loops):
            call()
        wall, own = time.perf_counter() - wall, time.process_time() - own
        others = busy_seconds() - all_ - own
        samples.append(wall / loops)
        if others < QUIET * (os.cpu_count() or 1) * wall:
            quiet.append(wall / loops)
    return Timing(1000 * statistics.median(quiet or samples), len(quiet))


def main_of(output: Any) -> torch.Tensor:
    """The picture, or the last map, of what a network returned."""
    if isinstance(output, (list, tuple)):
        return main_of(output[-1])
    return output if isinstance(output, torch.Tensor) else output.main


def giga_mac(model: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> float:
    """Multiplications of convolutions and matrix products of one call."""
    twin = copy.deepcopy(model)
    fold_spectral_norm(twin)
    with FlopCounterMode(display=False) as counter:
        twin(*inputs)
    return counter.get_total_flops() / 2e9


@torch.inference_mode()
def measure(case: Case, repeats: int, dtype: torch.dtype) -> Row:
    """A network as it is, and in its fast form with what a program keeps between calls."""
    print(f"{case.name} ...", file=sys.stderr)
    torch.manual_seed(0)
    model = case.build().eval()
    inputs = case.inputs()
    plain = timed(lambda: model(*inputs), repeats)
    truth = main_of(model(*inputs))
    parameters = sum(p.numel() for p in model.parameters())
    gmac = giga_mac(model, inputs)
    form = fast_form(model, dtype)
    values = tuple(to_fast(value, dtype) for value in inputs)

    def call() -> Any:
        return form(*values)

    if case.keep is not None and case.again is not None:
        again, kept = case.again, case.keep(form, values)

        def call() -> Any:
            return again(form, values, kept)

    error = (main_of(call()).float() - truth).abs().max().item()
    return Row(case.name, parameters, gmac, case.anchor, plain, timed(call, repeats), error)


def show(rows: list[Row], threads: int, pace: float, dtype: torch.dtype) -> None:
    """The table; ``pace`` is this machine's time for the yardstick beside the anchor machine's."""
    title = f"{threads} threads, batch 1; fast: {str(dtype).removeprefix('torch.')}"
    title += f", folded, kept references. Yardstick takes {pace:.2f} times as long as the anchor's"
    table = Table(title=title)
    headings = ("", "parameters", "GMAC", "anchor", "fp32", "ratio", "even", "fast", "ratio")
    for name in (*headings, "even", "error"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in rows:
        beside = row.anchor.two_threads if threads > 1 else row.anchor.one_thread
        cells = [f"{beside:.4g}" if beside else "-"]
        for timing in (row.plain, row.fast):
            ratio = row.ratio(timing, threads)
            cells.append(f"{timing.milliseconds:.4g} [{timing.quiet}]")
            cells += ["-", "-"] if ratio is None else [f"{ratio:.2f}", f"{ratio * pace:.2f}"]
        mark = "" if row.parameters == row.anchor.parameters else " *"
        count = f"{row.parameters:,}{mark}"
        table.add_row(row.name, count, f"{row.gmac:.1f}", *cells, f"{row.fast_error:.1e}")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print("ms [quiet samples]; ratio: anchor / ours; even: the same at the yardstick's pace;")
    print("error: largest difference of the fast form from fp32; *: the anchor counts otherwise")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""], help="parts of the names of the rows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dtype", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--training", nargs="*", metavar="PAPER/ROW", help="samples per second")
    parser.add_argument("--steps", type=int, default=5, help="of each training, after one")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of these")
    parser.add_argument("--json", type=Path, help="default: results/models.json or training.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    native = torch.bfloat16 if native_bfloat16() else torch.float32
    dtype = {"auto": native, "bf16": torch.bfloat16, "fp32": torch.float32}[options.dtype]
    facts: dict[str, Any] = {
        "machine": platform.platform(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "threads": options.threads,
        "fast": str(dtype),
        "allocator": ALLOCATOR,
    }
    if options.training is None:
        yardstick = measure(YARDSTICK, options.repeats, dtype)
        pace = 1 / (yardstick.ratio(yardstick.plain, options.threads) or 1)
        chosen = [case for case in CASES if any(part in case.name for part in options.only)]
        rows = [yardstick, *(measure(case, options.repeats, dtype) for case in chosen)]
        show(rows, options.threads, pace, dtype)
        facts["pace"] = pace
        facts["rows"] = [
            {
                **asdict(row),
                "ratio": row.ratio(row.plain, options.threads),
                "fast_ratio": row.ratio(row.fast, options.threads),
            }
            for row in rows
        ]
    else:
        from throughput import measure_training, show_training

        trained = measure_training(options.training, options.steps, options.set)
        facts["steps"] = options.steps
        show_training(trained)
        facts["training"] = [{**asdict(row), "ratio": row.ratio} for row in trained]
    name = "models.json" if options.training is None else "training.json"
    path: Path = options.json or HERE / "results" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=1))
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
