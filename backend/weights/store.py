"""Trained networks by name: found, checked once, loaded once, and let go when nobody needs them.

Nothing here imports PyTorch before a network is loaded.
"""

from __future__ import annotations

import hashlib
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from backend.imaging import refusal
from protocol.errors import ErrorCode, NuriError

from . import manifest, styles

if TYPE_CHECKING:
    from torch import nn

OVERRIDE = "NURI_WEIGHTS"  # a folder with a manifest of its own
_BLOCK = 1 << 20

_lock = threading.Lock()
_checked: dict[Path, tuple[int, int]] = {}  # path -> size and time of the file that was right
_loaded: dict[tuple[str, bool], tuple[Path, tuple[int, int], nn.Module]] = {}


def folder() -> Path:
    """Where the weights are: the folder that ``NURI_WEIGHTS`` names, else that of the program."""
    override = os.environ.get(OVERRIDE)
    return Path(override) if override else Path(__file__).parent


def entries() -> dict[str, manifest.Entry]:
    """The manifest by id. Raises NuriError model_missing when it cannot be read."""
    place = folder()
    try:
        facts = (place / manifest.NAME).stat()
    except OSError:
        facts = None  # the reader says what that means
    try:
        return _entries(place, facts and (facts.st_size, facts.st_mtime_ns, facts.st_ino))
    except ValueError as error:
        raise NuriError(ErrorCode.model_missing, str(error), _REINSTALL) from error


@lru_cache(maxsize=1)
def _entries(place: Path, state: tuple[int, int, int] | None) -> dict[str, manifest.Entry]:
    """The manifest of a folder, read again when its ``state`` is another."""
    return manifest.read(place)


def installed() -> tuple[str, ...]:
    """The ids whose files are there, in the order of the manifest.

    None when the manifest cannot be read; `load` says why.
    """
    place = folder()
    try:
        known = entries()
    except NuriError:
        return ()
    return tuple(name for name, entry in known.items() if (place / entry.file).is_file())


def flaws() -> list[str]:
    """What is wrong with the files of the manifest, a line each; every file is read.

    Raises NuriError model_missing when the manifest cannot be read.
    """
    found = []
    for name, entry in entries().items():
        path = folder() / entry.file
        try:
            _check(path, entry, _state(path, name))
        except NuriError as error:
            found.append(error.info.message)
    return found


def file_of(identifier: str) -> Path:
    """The weights file ``identifier``, checked. Raises NuriError model_missing as `load` does."""
    with _lock:
        entry = _entry(identifier)
        path = folder() / entry.file
        _check(path, entry, _state(path, identifier))
        return path


def load(identifier: str, *, rounded: bool = False) -> nn.Module:
    """The trained network ``identifier``, in float32, channels_last, and its form for inference.

    ``rounded``: it may compute in bfloat16 inside, where the processor gains by that; see
    `backend.models.precision.compute_in_bfloat16` for how it may be called then.
    ``style/NAME`` is a style, see `styles`. The network stays in memory until `release`. The file's
    sha256 is checked once as long as the file does not change. Raises NuriError: model_missing when
    the manifest has no such id, its file is absent or not the one that the manifest means, or
    PyTorch is not installed; no_memory.
    """
    with _lock:
        entry = None if identifier.startswith(styles.PREFIX) else _entry(identifier)
        path = folder() / entry.file if entry else styles.path_of(identifier)
        state = _state(path, identifier)
        known = _loaded.get((identifier, rounded))
        if known is not None and known[:2] == (path, state):
            return known[2]
        if entry:
            _check(path, entry, state)
        model = _read(path, identifier, entry.network if entry else styles.NETWORK, rounded)
        _loaded[identifier, rounded] = (path, state, model)
        return model


def release() -> None:
    """Let go of every network in memory; the next `load` reads its file again."""
    with _lock:
        _loaded.clear()


def _entry(identifier: str) -> manifest.Entry:
    entry = entries().get(identifier)
    if entry is None:
        raise NuriError(
            ErrorCode.model_missing,
            f"there are no trained weights for {identifier!r} in {folder()}",
            f"Installed: {', '.join(installed()) or 'none'}; update Nuri to get more",
        )
    return entry


def _state(path: Path, identifier: str) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError as error:
        raise NuriError(
            ErrorCode.model_missing,
            f"the weights file {path} of {identifier!r} cannot be read: {error.strerror}",
            _REINSTALL,
        ) from error
    return facts.st_size, facts.st_mtime_ns


def _check(path: Path, entry: manifest.Entry, state: tuple[int, int]) -> None:
    if _checked.get(path) == state:
        return
    if state[0] != entry.bytes or _sha256(path) != entry.sha256:
        raise NuriError(
            ErrorCode.model_missing,
            f"the weights file {path} is damaged: it is not the one that {manifest.NAME} names",
            _REINSTALL,
        )
    _checked[path] = state


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _read(path: Path, identifier: str, network: str, rounded: bool) -> nn.Module:
    try:
        import torch

        from backend.models.architectures import load_model, read_header, require_modest
        from backend.models.folding import inference_form
        from backend.models.precision import bfloat16_pays, compute_in_bfloat16
    except ImportError as error:
        if refusal.is_no_memory(error):
            raise refusal.no_memory_for_job() from error
        raise NuriError(
            ErrorCode.model_missing,
            f"the network {identifier!r} needs PyTorch, which is not installed",
            "Run `python3 install.py demo` in Nuri's folder, without --no-models",
        ) from error
    try:
        header = read_header(path)
        if header.name != network:
            raise ValueError(f"{path} holds no {network!r}")
        if identifier.startswith(styles.PREFIX):
            require_modest(header, path)
        model = inference_form(load_model(path))
        if rounded and bfloat16_pays():
            model = compute_in_bfloat16(model)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    except (OSError, ValueError) as error:
        if refusal.is_no_memory(error):
            raise refusal.no_memory_for_job() from error
        is_style = identifier.startswith(styles.PREFIX)
        remedy = "Get or teach that style again" if is_style else _REINSTALL
        raise NuriError(ErrorCode.model_missing, str(error), remedy) from error


_REINSTALL = "Get Nuri's folder backend/weights again, complete"
