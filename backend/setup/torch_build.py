"""Which build of PyTorch suits this machine, and whether it computes."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

from . import interpreter, pip
from .console import Step

TORCH = "2.13.0"
SAFETENSORS = "safetensors>=0.4"
# PyTorch's own index: the package index carries no CPU build for Linux and no CUDA build for
# Windows.
_TORCH_INDEX = "https://download.pytorch.org/whl"
_WINDOWS_CUDA = "cu126"
_SELF_TEST_SECONDS = 120
_CPU, _CUDA, _GENERAL = "CPU build", "CUDA build", "general (large) build"

_SELF_TEST = """
import json, time, warnings
warnings.simplefilter("ignore")
import torch
started = time.perf_counter()
cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
device = "cuda" if cuda else "mps" if mps else "cpu"
ones = torch.ones(256, 256, device=device)
total = float((ones @ ones).sum())
print(json.dumps({
    "device": device, "version": torch.__version__,
    "name": torch.cuda.get_device_name() if cuda else "",
    "right": total == 256.0**3, "seconds": time.perf_counter() - started,
}))
"""


@dataclass(frozen=True)
class Build:
    """One way to get PyTorch: what to ask pip for, from which further index, and what it is."""

    requirement: str
    index: str
    label: str

    @property
    def is_large(self) -> bool:
        """True for one that brings CUDA with it."""
        return self.label in (_CUDA, _GENERAL)


@dataclass(frozen=True)
class SelfTest:
    """What a small product on the best device gave."""

    device: str
    version: str
    name: str
    right: bool
    seconds: float

    @property
    def is_for_gpu(self) -> bool:
        """True for a build that brings CUDA with it, whether there is a GPU or not."""
        return "+cu" in self.version

    def __str__(self) -> str:
        name = f" ({self.name})" if self.name else ""
        return f"torch {self.version} on {self.device}{name}, {self.seconds:.2f} s"


def has_nvidia_gpu() -> bool:
    """True where NVIDIA's driver lists a GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listing = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listing.returncode == 0 and "GPU" in listing.stdout


def candidates(gpu: bool, system: str = sys.platform) -> list[Build]:
    """The builds to try, best first. ``gpu``: an NVIDIA GPU is there and wanted."""
    plain = f"torch=={TORCH}"
    if system == "darwin":
        return [Build(plain, "", "build for macOS")]
    if system == "win32":
        cpu = [Build(plain, "", _CPU)]
        index = f"{_TORCH_INDEX}/{_WINDOWS_CUDA}"
        return [Build(f"{plain}+{_WINDOWS_CUDA}", index, _CUDA), *cpu] if gpu else cpu
    cpu = [
        Build(f"{plain}+cpu", "", _CPU),
        Build(f"{plain}+cpu", f"{_TORCH_INDEX}/cpu", _CPU),
    ]
    general = Build(f"{plain},!={TORCH}+cpu", "", _CUDA if gpu else _GENERAL)
    return [general, *cpu] if gpu else [*cpu, general]


def install(
    python: Path, gpu: bool, step: Step, *, afresh: bool = False, small: bool = False
) -> Build:
    """Installs the first candidate that pip can get; ``afresh`` repairs a broken one, ``small``
    takes none that brings CUDA along.

    Raises the `NuriError` of the first candidate when none can be had.
    """
    first: NuriError | None = None
    for build in candidates(gpu):
        if small and build.is_large:
            continue
        arguments = ["install", build.requirement, SAFETENSORS]
        if build.index:
            arguments += ["--extra-index-url", build.index]
        if afresh:
            arguments += ["--force-reinstall"]
        try:
            pip.run(python, arguments, f"PyTorch ({build.label})", step)
        except NuriError as error:
            if error.code is ErrorCode.disk_full:
                raise
            # The message of the last reason that is not "no such build here" helps most.
            first = error if first is None or first.code is ErrorCode.not_found else first
            continue
        return build
    if first is None:
        raise NuriError(ErrorCode.unsupported, f"no PyTorch is known for {platform.platform()}")
    raise first


def self_test(python: Path) -> SelfTest:
    """Multiplies two matrices on the best device. Raises `NuriError` not_found or internal."""
    try:
        answer = interpreter.ask(python, "-I", "-c", _SELF_TEST, seconds=_SELF_TEST_SECONDS)
    except NuriError as error:
        raise _explain(error) from error
    return SelfTest(**json.loads(answer.splitlines()[-1]))


def _explain(error: NuriError) -> NuriError:
    reason, detail = error.info.message, error.info.detail
    if "No module named 'torch'" in reason:
        return NuriError(
            ErrorCode.not_found,
            "PyTorch is not installed (only flats from hints need none)",
            "For all that networks do: python3 install.py demo",
        )
    remedy = "Run again: python3 install.py demo --cpu"
    if error.code is ErrorCode.deadline:
        remedy = "Run it again"
    elif "c10.dll" in detail or "DLL load failed" in detail:
        remedy = "Install Microsoft's Visual C++ Redistributable (x64), then run this again"
    return NuriError(ErrorCode.internal, f"PyTorch does not work: {reason}", remedy)
