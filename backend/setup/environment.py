"""The private environment: made whole or marked as unfinished, never in between."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.lock import DaemonLock
from protocol.private_files import write_atomic

from . import console, interpreter, pip, project, torch_build

MARKER_NAME = "nuri-environment.json"
LOCK_NAME = "nuri-install.lock"
_INSTALLING = "installing"
TRAINING = "training"  # the extra that has to come after PyTorch
DEFAULT_PREFIX = project.ROOT / ".venv"
_NEEDED_BYTES, _NEEDED_WITH_MODELS = 1_000_000_000, 2_000_000_000
_OURS = (MARKER_NAME, LOCK_NAME)
_HEALTH = (
    "import backend, protocol, "
    "av, cv2, msgpack, numba, numpy, PIL, rich, scipy, skimage, tifffile, zmq"
)


@dataclass
class Marker:
    """What the environment holds; written as not complete before anything is changed."""

    complete: bool = False
    created: bool = False  # by us: then it may also be remade
    prefix: str = ""
    root: str = ""
    requirements: str = ""
    extras: list[str] = field(default_factory=list)
    torch: str = ""  # "", _INSTALLING, or its version

    @property
    def has_torch(self) -> bool:
        """True when PyTorch was installed and tried out."""
        return self.torch not in ("", _INSTALLING)


class Environment:
    """The environment at ``prefix``. Its programs exist once `ensure` has returned."""

    def __init__(self, prefix: Path = DEFAULT_PREFIX) -> None:
        self.prefix = Path(os.path.abspath(prefix.expanduser()))
        scripts = "Scripts" if sys.platform == "win32" else "bin"
        suffix = ".exe" if sys.platform == "win32" else ""
        self.python = self.prefix / scripts / f"python{suffix}"
        self.nuri = self.prefix / scripts / f"nuri{suffix}"

    def marker(self) -> Marker | None:
        """What stands in the marker; None where there is none or none that can be read."""
        try:
            table = json.loads((self.prefix / MARKER_NAME).read_bytes())
            names = {entry.name for entry in fields(Marker)}
            return Marker(**{k: v for k, v in table.items() if k in names})
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def ensure(
        self,
        extras: Iterable[str] = (),
        *,
        models: bool = True,
        cpu: bool = False,
        training: bool = False,
    ) -> None:
        """Makes, completes or remakes the environment so that it fits this checkout.

        ``extras``: those of pyproject.toml. ``models``: also PyTorch, whose absence is said but
        stops nothing. ``training``: also what `nuri-train` needs, where PyTorch is there. Raises
        `NuriError` with the reason and the remedy.
        """
        self._check_place(_NEEDED_WITH_MODELS if models else _NEEDED_BYTES)
        with self._alone():
            marker = self._base(set(extras))
            if models:
                self._add_torch(marker, cpu)
            if training and marker.has_torch:
                self._add_training(marker)

    def flaw(self) -> str:
        """What keeps the environment from being used, in words; "" when it is whole."""
        marker = self.marker()
        if marker is None:
            return f"there is none at {self.prefix}"
        if not marker.complete:
            return f"{self.prefix} is unfinished"
        if marker.prefix != os.fspath(self.prefix):
            return f"{self.prefix} was moved here from {marker.prefix}"
        if not self._is_current(marker):
            return f"{self.prefix} was made for another version or copy of Nuri"
        if not self._is_healthy():
            return f"{self.prefix} does not import its libraries"
        return ""

    def _base(self, extras: set[str]) -> Marker:
        marker = self.marker()
        if marker is None or not self._is_usable(marker):
            marker = self._make(marker)
        elif self._is_current(marker) and extras <= set(marker.extras):
            console.say(f"  environment {self.prefix}: ready")
            return marker
        marker.complete = False
        marker.extras = sorted((extras | set(marker.extras)) - {TRAINING})
        self._write(marker)
        wanted = f"{project.ROOT}[{','.join(marker.extras)}]" if marker.extras else project.ROOT
        title = "installing the backend" + (f" and {', '.join(extras)} tools" if extras else "")
        with console.step(title) as step:
            pip.run(self.python, ["install", "--editable", os.fspath(wanted)], "The backend", step)
            if not self._is_healthy():
                raise NuriError(
                    ErrorCode.internal,
                    f"The environment {self.prefix} does not import its libraries",
                    f"Delete {self.prefix} and run this again",
                )
        marker.root = os.fspath(project.ROOT)
        marker.requirements = project.requirements_fingerprint()
        marker.complete = True
        self._write(marker)
        return marker

    def _make(self, marker: Marker | None) -> Marker:
        """An empty environment with pip, in a folder that is new, ours, or a venv already."""
        fresh = Marker(created=True, prefix=os.fspath(self.prefix))
        if marker is None and any(self._entries()):
            if not (self.prefix / "pyvenv.cfg").is_file():
                raise NuriError(
                    ErrorCode.bad_input,
                    f"{self.prefix} holds other files and is no Python environment",
                    "Give an empty or new folder with --prefix",
                )
            # Somebody's own environment: it is added to, and never deleted.
            fresh.created = False
            self._write(fresh)
            return fresh
        if marker is not None and not marker.created:
            if not interpreter.runs(self.python, "import pip"):
                raise NuriError(
                    ErrorCode.internal,
                    f"The environment {self.prefix} does not work any more",
                    "Delete it and run this again",
                )
            fresh.created = False
            self._write(fresh)
            return fresh
        interpreter.require_venv()
        with console.step(f"making the environment {self.prefix}") as step:
            self._write(fresh)
            for entry in list(self._entries()):
                _delete(entry)
            interpreter.make(self.prefix)
            step.result = f"done, Python {sys.version.split()[0]}"
        return fresh

    def _add_torch(self, marker: Marker, cpu: bool) -> None:
        found = self._torch_that_works()
        is_too_large = cpu and found is not None and found.is_for_gpu
        if found is not None and marker.has_torch and not is_too_large:
            console.say(f"  PyTorch: {found}")
            return
        gpu = not cpu and torch_build.has_nvidia_gpu()
        # What is there, as far as pip knows, is broken or of the wrong kind.
        afresh = marker.torch != ""
        marker.torch = _INSTALLING
        self._write(marker)
        try:
            with console.step(
                "installing PyTorch " + ("for the GPU" if gpu else "for the CPU")
            ) as s:
                build = torch_build.install(self.python, gpu, s, afresh=afresh, small=is_too_large)
                s.result = f"done, {build.label}"
            with console.step("trying PyTorch out") as s:
                test = torch_build.self_test(self.python)
                s.result = str(test)
        except NuriError as error:
            self._do_without(marker, error)
            return
        marker.torch = test.version
        self._write(marker)
        if gpu and test.device == "cpu":
            console.warn(
                NuriError(
                    ErrorCode.unsupported,
                    "There is an NVIDIA GPU, but PyTorch cannot use it and computes on the CPU",
                    "Update NVIDIA's driver, then delete the environment and run this again",
                )
            )

    def _torch_that_works(self) -> torch_build.SelfTest | None:
        """What the PyTorch that is there says of itself; None where none works."""
        try:
            return torch_build.self_test(self.python)
        except NuriError:
            return None

    def _do_without(self, marker: Marker, error: NuriError) -> None:
        """No other PyTorch could be had: what is there is kept where it works."""
        left = self._torch_that_works()
        # Whatever else is there has to be installed afresh, which pip does not do by itself.
        marker.torch = left.version if left else _INSTALLING
        self._write(marker)
        message, action = error.info.message, error.info.action
        if left:
            message += f". What is there stays: {left}"
        else:
            message += ". Flats from hints work without it"
            action += "; or add --no-models to leave it out"
        console.warn(NuriError(error.code, message, action, detail=error.info.detail))

    def _add_training(self, marker: Marker) -> None:
        if TRAINING in marker.extras:
            return
        with console.step("installing what training needs") as step:
            # naming the torch that is there keeps pip from changing it for torchvision's sake
            there = [f"{project.ROOT}[{TRAINING}]", f"torch=={marker.torch}"]
            pip.run(self.python, ["install", "--editable", *there], "The training tools", step)
        marker.extras = sorted({TRAINING, *marker.extras})
        self._write(marker)

    def _check_place(self, needed: int) -> None:
        place = self.prefix
        while not place.exists():
            place = place.parent
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise NuriError(
                ErrorCode.bad_input,
                f"The environment cannot be made: {place} is no folder that you may write to",
                "Give another place: --prefix FOLDER",
            )
        free = shutil.disk_usage(place).free
        if not self.python.exists() and free < needed:
            raise NuriError(
                ErrorCode.disk_full,
                f"{place} has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed",
                "Free some space, or give a place on another disk: --prefix FOLDER",
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.prefix.mkdir(parents=True, exist_ok=True)
        lock = DaemonLock(self.prefix / LOCK_NAME)
        try:
            lock.acquire()
        except NuriError as error:
            if error.code is not ErrorCode.busy:
                raise
            raise NuriError(
                ErrorCode.busy,
                f"Another install.py works on {self.prefix}",
                "Wait until it is done",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _is_usable(self, marker: Marker) -> bool:
        # An environment cannot be moved: its programs name its place.
        return marker.complete and marker.prefix == os.fspath(self.prefix) and self._is_healthy()

    def _is_current(self, marker: Marker) -> bool:
        wanted = (os.fspath(project.ROOT), project.requirements_fingerprint())
        return (marker.root, marker.requirements) == wanted

    def _is_healthy(self) -> bool:
        return self.nuri.is_file() and interpreter.runs(self.python, _HEALTH)

    def _entries(self) -> Iterable[Path]:
        if not self.prefix.exists():
            return []
        return [entry for entry in self.prefix.iterdir() if entry.name not in _OURS]

    def _write(self, marker: Marker) -> None:
        write_atomic(self.prefix / MARKER_NAME, json.dumps(asdict(marker), indent=1).encode())


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
