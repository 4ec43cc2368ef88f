"""The one door to torchvision and to the package that imports it (pytorch-fid).

The torchvision wheel of the package index carries native code for CUDA builds of torch. Beside a
CPU build of torch that code does not load, and ``import torchvision`` stops with "operator
torchvision::nms does not exist" although everything written in Python would work. When, and only
when, the import fails in that way, the schemas of the two operators are declared and the import
is done again. A torchvision that fits its torch is left alone.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_libraries: list[torch.library.Library] = []  # a schema lives as long as the library that holds it


def import_torchvision() -> ModuleType:
    """torchvision, with or without its native operators.

    Raises ImportError when it is not installed, and whatever else its import raises.
    """
    try:
        return _import("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    declare_missing_operators()
    return _import("torchvision")


def import_pytorch_fid() -> ModuleType:
    """``pytorch_fid.inception``: the Inception network of the original FID in torch."""
    import_torchvision()
    return _import("pytorch_fid.inception")


def declare_missing_operators() -> list[str]:
    """Declare the schemas of those of torchvision's operators that are absent; their names."""
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(_SCHEMAS[name])
        _libraries.append(library)
    return missing


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or name).split(".")[0]
        raise ImportError(
            f"{package} is not installed; install Nuri with its training extra"
        ) from error
