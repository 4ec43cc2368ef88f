"""Where pretrained networks are found, and what a run records when one is not there."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import sys
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from backend.models.architectures import import_state
from training.errors import TrainingError

FOLDER_VARIABLE = "NURI_PRETRAINED"
DATA_VARIABLE = "NURI_DATA"

_log = logging.getLogger("nuri.training")
_project = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Source:
    """A pretrained network: the file names it goes by, its address and its licence."""

    files: tuple[str, ...]
    licence: str
    url: str | None = None


def _torchvision(file: str, network: str) -> Source:
    return Source(
        (file, f"{network}.safetensors"),
        "BSD-3-Clause",
        f"https://download.pytorch.org/models/{file}",
    )


def _heads(network: str) -> Source:
    files = (f"lpips_lin_{network}_v0.1.npz", f"weights/v0.1/{network}.pth")
    return Source(files, "BSD-2-Clause")


def _ffdnet(pages: str) -> Source:
    file = f"ffdnet_{pages}.pth"
    return Source(
        (f"ffdnet_{pages}.safetensors", file),
        "MIT",
        f"https://github.com/cszn/KAIR/releases/download/v1.0/{file}",
    )


SOURCES: dict[str, Source] = {
    "vgg16": _torchvision("vgg16-397923af.pth", "vgg16"),
    "vgg19": _torchvision("vgg19-dcbb9e9d.pth", "vgg19"),
    "alexnet": _torchvision("alexnet-owt-7be5be79.pth", "alexnet"),
    "squeezenet1_1": Source(("squeezenet1_1.npz", "squeezenet1_1.safetensors"), "Apache-2.0"),
    "lpips_alex": _heads("alex"),
    "lpips_vgg": _heads("vgg"),
    "lpips_squeeze": _heads("squeeze"),
    "inception_fid": Source(
        ("pt_inception-2015-12-05-6726825d.pth", "inception_fid.safetensors"),
        "Apache-2.0",
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        "pt_inception-2015-12-05-6726825d.pth",
    ),
    "siggraph17": Source(
        ("siggraph17.safetensors", "siggraph17-df00044c.pth"),
        "MIT",
        "https://colorizers.s3.us-east-2.amazonaws.com/siggraph17-df00044c.pth",
    ),
    "pfanet": Source(("pfanet.safetensors",), "not stated with the weights"),
    "vgg19_keras": Source(("vgg19_keras.safetensors",), "CC BY 4.0"),
    "tag2pix": Source(
        ("tag2pix.safetensors", "tag2pix.pth"),
        "non-commercial, not to be passed on",
        "https://github.com/blandocs/Tag2Pix/releases/download/release/model.pth",
    ),
    "seresnext50": Source(
        ("seresnext50.safetensors", "seresnext50_32x4d_racm-a304a460.pth"),
        "Apache-2.0",
        "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
        "seresnext50_32x4d_racm-a304a460.pth",
    ),
    "ffdnet_color": _ffdnet("color"),
    "ffdnet_gray": _ffdnet("gray"),
}


def resolve(name: str, *, allow_download: bool = False) -> Path | None:
    """The file of a pretrained network, or None when it is nowhere.

    Looks, in this order, at the folder named by the environment variable NURI_PRETRAINED, torch's
    hub cache, the installed lpips package and the folder ``nets`` of the data. Downloads only when
    allowed, into NURI_PRETRAINED or else torch's hub cache.

    Raises TrainingError for an unknown name, or when an allowed download fails.
    """
    if name not in SOURCES:
        raise TrainingError(
            f"no pretrained network is called {name!r}", f"use one of {', '.join(SOURCES)}"
        )
    source = SOURCES[name]
    for folder in _folders():
        for file in source.files:
            if (folder / file).is_file():
                return folder / file
    if not allow_download or source.url is None:
        return None
    return _download(name, source.url)


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file by name: safetensors, NumPy archive, or a ``.pth``.

    A ``.pth`` is read by `import_state`, which runs no code of the file and takes wrappers off. A
    digest in the file's name (``vgg19-dcbb9e9d.pth``) is checked.

    Raises TrainingError when the file is damaged or holds something other than tensors.
    """
    remedy = "replace it with a fresh copy"
    expected = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if expected and not digest(path).startswith(expected[1]):
        raise TrainingError(f"{path} is not the file that its name says", remedy)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {key: torch.from_numpy(archive[key]) for key in archive.files}
        return import_state(path)
    except (OSError, EOFError, ValueError, SafetensorError, zipfile.BadZipFile) as error:
        words = str(error)
        named = words.startswith(str(path))
        raise TrainingError(
            words if named else f"{path} cannot be read as weights ({words})", remedy
        ) from error


@lru_cache(maxsize=32)
def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


@dataclass
class Degradations:
    """What a run had to do without, and the weights it used: each told once and kept.

    ``states`` maps a term or metric ("perceptual") to what became of it ("none", "random",
    "unavailable"); ``used`` maps a pretrained network to the digest of its file.
    """

    states: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def note(self, term: str, state: str, reason: str) -> None:
        """Record that ``term`` is degraded to ``state``; one warning in the log for each."""
        if self.states.get(term) != state:
            _log.warning("%s=%s: %s", term, state, reason)
        self.states[term] = state
        self.reasons[term] = reason

    def use(self, name: str, path: Path) -> None:
        """Record that the pretrained network ``name`` was loaded from ``path``."""
        self.used[name] = digest(path)

    def lines(self) -> list[str]:
        """``term=state: reason``, one for each degraded term, for the run's metadata."""
        return [f"{term}={state}: {self.reasons[term]}" for term, state in self.states.items()]

    def pretrained(self) -> list[str]:
        """``name sha256:digest``, one for each pretrained network, for the run's metadata."""
        return [f"{name} sha256:{checksum}" for name, checksum in self.used.items()]


def data_folder() -> Path:
    """The folder of the data sets: NURI_DATA, or ``shared/data`` beside the project."""
    return Path(os.environ.get(DATA_VARIABLE, _project.parent / "shared" / "data"))


def _folders() -> list[Path]:
    folders = []
    if os.environ.get(FOLDER_VARIABLE):
        folders.append(Path(os.environ[FOLDER_VARIABLE]))
    folders.append(_hub_cache())
    package = importlib.util.find_spec("lpips")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent)
    return [*folders, data_folder() / "nets"]


def _hub_cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _download(name: str, url: str) -> Path:
    folder = Path(os.environ.get(FOLDER_VARIABLE) or _hub_cache())
    target = folder / next(file for file in SOURCES[name].files if file.endswith(".pth"))
    known = re.search(r"-([0-9a-f]{8})\.pth$", target.name)
    _log.info("downloading %s from %s", name, url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            url,
            str(target),
            hash_prefix=known[1] if known else None,
            progress=sys.stderr.isatty(),
        )
    except (OSError, HTTPException, RuntimeError) as error:
        raise TrainingError(
            f"{name} could not be downloaded from {url} ({error})",
            f"put the file into the folder that {FOLDER_VARIABLE} names",
        ) from error
    return target
