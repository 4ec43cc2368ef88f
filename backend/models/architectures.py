"""Every network by name: built from options, written to and read from safetensors.

A weights file carries the name and the options of its network, so that it needs nothing beside it.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

FORMAT = "1"
MODEST = 4  # times the default: what a network of others may be as wide or deep as
# name -> module and class; a module is imported when its network is built
CLASSES = {
    "aaldc": ("aaldc", "AnimeReferenceColorizer"),
    "line_extractor": ("line_extractor", "LineExtractor"),
    "ibn_gan": ("ibn_gan", "ChromaUNet"),
    "video": ("video", "ColorTransformNet"),
    "video_refinement": ("video", "TemporalRefinementNet"),
    "video_scft": ("video_scft", "ShotReferenceColorizer"),
    "smsanet": ("smsanet", "SMSANet"),
    "manga": ("manga", "MangaColorizer"),
    "alacgan": ("alacgan", "AlacGANColorizer"),
    "matching": ("matching", "RegionMatcher"),
    "choosing": ("choosing", "ColorChooser"),
    "borders": ("borders", "BorderFinder"),
}
WRAPPERS = ("state_dict", "model", "params", "netG", "generator", "weight", "state_dictG")


@dataclass(frozen=True)
class Release:
    """Public weights that this project takes over.

    ``keys``: module and function of the key map. ``options``: of the network that was released.
    ``part``: the submodule that the weights fill, "" for all of it.
    """

    keys: tuple[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""


RELEASES = {
    "smsanet": Release(
        ("smsanet", "from_siggraph17"),
        {"in_channels": 4, "attention": "none", "class_head": True},
    ),
    "manga": Release(("manga", "from_release"), {"size": "release"}, "generator"),
    "alacgan": Release(("alacgan", "from_release"), {}, "generator"),
}


@dataclass(frozen=True)
class Header:
    """What a weights file says of its network. ``extra``: JSON values of who wrote the file."""

    name: str
    options: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)


def names() -> tuple[str, ...]:
    """The names that `build` knows."""
    return tuple(CLASSES)


def _member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"backend.models.{module}"), name)


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f": use one of {', '.join(known)}"


def architecture(name: str) -> type[nn.Module]:
    """The class called ``name``; ``ValueError`` with a suggestion for an unknown one."""
    if name not in CLASSES:
        raise ValueError(f"unknown network {name!r}{_did_you_mean(name, list(CLASSES))}")
    found: type[nn.Module] = _member(*CLASSES[name])
    return found


def default_options(name: str) -> dict[str, Any]:
    """Every option of the network ``name`` with its default."""
    signature = inspect.signature(architecture(name))
    return {key: parameter.default for key, parameter in signature.parameters.items()}


def build(name: str, options: Mapping[str, Any] | None = None) -> nn.Module:
    """The network ``name``; ``ValueError`` for an unknown name, option or value."""
    options = dict(options or {})
    known = list(default_options(name))
    for key in options:
        if key not in known:
            raise ValueError(f"{name} has no option {key!r}{_did_you_mean(key, known)}")
    try:
        network: nn.Module = architecture(name)(**options)
    except TypeError as error:
        raise ValueError(f"{name} cannot be built as {options}: {error}") from error
    return network


def name_of(model: nn.Module) -> str:
    """The name under which ``model``'s class is known; ``ValueError`` for another class."""
    for name, (module, class_name) in CLASSES.items():
        if type(model).__name__ == class_name and isinstance(model, _member(module, class_name)):
            return name
    raise ValueError(f"{type(model).__name__} is no network with a name: {', '.join(CLASSES)}")


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON keeps them, so that tuples equal lists."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(options)))
    return plain


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """One phrase for each option that two configurations do not share."""
    first, second = _plain(ours), _plain(theirs)
    missing = object()

    def shown(value: object) -> str:
        return "absent" if value is missing else json.dumps(value)

    return [
        f"{key}: {shown(first.get(key, missing))} against {shown(second.get(key, missing))}"
        for key in sorted({*first, *second})
        if first.get(key, missing) != second.get(key, missing)
    ]


def require_same(
    name: str, options: Mapping[str, Any], wanted: str, wanted_options: Mapping[str, Any], path: Any
) -> None:
    """``ValueError`` that lists how the network in ``path`` differs from the wanted one.

    Options that are not named have their defaults.
    """
    if name != wanted:
        raise ValueError(f"{path} holds the network {name!r}, not {wanted!r}")
    defaults = default_options(name)
    found = differences({**defaults, **options}, {**defaults, **wanted_options})
    if found:
        raise ValueError(f"{path} holds another {name!r} than wanted: {'; '.join(found)}")


def require_modest(header: Header, path: Path | str) -> None:
    """``ValueError`` for options of a file of others that no network of ours could need.

    Sizes may be up to `MODEST` times the defaults, so that reading a file cannot take all memory.
    """
    defaults = default_options(header.name)
    for key, value in header.options.items():
        most = MODEST * defaults[key] if isinstance(defaults.get(key), int) else 0
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            raise ValueError(f"{path} wants {key}={json.dumps(value)[:40]}, which cannot be")


def save_model(path: Path | str, model: nn.Module, extra: Mapping[str, Any] | None = None) -> None:
    """Write the weights of ``model`` with its name and options; the file is whole or untouched.

    ``extra``: JSON values that go with it. ``OSError`` when the file cannot be written.
    """
    path = Path(path)
    options: Any = model.options
    metadata = {
        "format": "pt",
        "nuri.format": FORMAT,
        "nuri.architecture": name_of(model),
        "nuri.options": json.dumps(options),
        "nuri.extra": json.dumps(dict(extra or {})),
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        save_file(tensors, part, metadata)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the name without the weights
        os.replace(part, path)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error
    finally:
        Path(part).unlink(missing_ok=True)


def read_header(path: Path | str) -> Header:
    """Name, options and extra values of a weights file, without its weights.

    ``ValueError`` when the file is damaged or not one of ours.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file, or is damaged: {error}") from error
    if "nuri.architecture" not in metadata:
        raise ValueError(f"{path} does not say which network it holds: convert it first")
    if metadata.get("nuri.format") != FORMAT:
        raise ValueError(f"{path} has format {metadata.get('nuri.format')!r}: update Nuri")
    try:
        options, extra = (
            json.loads(metadata.get(f"nuri.{part}", "{}")) for part in ("options", "extra")
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} says nothing readable of its network: {error}") from error
    if not isinstance(options, dict) or not isinstance(extra, dict):
        raise ValueError(f"{path} says nothing readable of its network")
    return Header(metadata["nuri.architecture"], options, extra)


def load_model(
    path: Path | str,
    device: torch.device | str = "cpu",
    expected: tuple[str, Mapping[str, Any]] | None = None,
) -> nn.Module:
    """The network of a weights file, in eval mode on ``device``.

    ``expected``: name and options it must have. ``ValueError`` when the file is damaged, holds
    another network (the differing options are listed) or other weights than its options say.
    """
    header = read_header(path)
    if expected is not None:
        require_same(header.name, header.options, expected[0], expected[1], path)
    model = build(header.name, header.options)
    load_weights(model, load_file(path), path)
    return model.to(device).eval()


def misfits(model: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """What of ``state`` does not fit ``model``, a phrase a tensor."""
    own = model.state_dict()
    wrong = [f"{key} is missing" for key in own if key not in state]
    wrong += [f"{key} is unknown" for key in state if key not in own]
    return wrong + [
        f"{key} is {tuple(state[key].shape)} there, {tuple(value.shape)} here"
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]


def load_weights(model: nn.Module, state: Mapping[str, Tensor], path: Path | str) -> None:
    """Give ``model`` all weights of ``state``; ``ValueError`` names what does not fit."""
    wrong = misfits(model, state)
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(
            f"{path} does not fit {type(model).__name__}: {'; '.join(wrong[:5])}{more}"
        )
    model.load_state_dict(dict(state))


def import_state(path: Path | str) -> dict[str, Tensor]:
    """The tensors of a public ``.pth`` file, read without running any code of the file.

    Wrappers (``state_dict``, ``module.``) are taken off. ``ValueError`` when the file holds
    anything but tensors, or cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they say in other words what is raised
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # PyTorch's text is advice to load the file without this care
        raise ValueError(
            f"{path} is no plain weights file: it is damaged, no .pth, or holds more than tensors"
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"{path} holds no table of weights")
    strange = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise ValueError(f"{path} holds more than weights: {', '.join(strange[:5])}")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def released(name: str, state: Mapping[str, Tensor], path: Path | str) -> nn.Module:
    """The network ``name`` as it was released, with the public weights ``state`` of ``path``.

    smsanet: its backbone siggraph17, with colour hints and class head. manga, alacgan: the
    generator; the extractor, a file of its own, stays as initialised. ``ValueError`` for other
    networks, for unknown keys and for weights that are missing.
    """
    if name not in RELEASES:
        raise ValueError(
            f"no public weights are known for {name!r}, only for {', '.join(RELEASES)}"
        )
    release = RELEASES[name]
    rename: Callable[[dict[str, Tensor]], dict[str, Tensor]] = _member(*release.keys)
    model = build(name, release.options)
    load_weights(model.get_submodule(release.part), rename(dict(state)), path)
    return model
