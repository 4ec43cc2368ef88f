"""Which device the worker computes on. Imports torch only where a model or the user needs it."""

from __future__ import annotations

from backend.models.registry import MODELS
from protocol.errors import ErrorCode, NuriError


def choose_device(requested: str) -> str:
    """The device that computes: "cpu", or the name of the CUDA device.

    ``requested``: auto, cpu or cuda. auto takes CUDA where a model runs on it and there is one.
    Raises `NuriError` unsupported when CUDA was asked for and cannot be had, or serves no model.
    """
    is_needed = any(model.device != "cpu" for model in MODELS.values())
    if requested == "cpu" or (requested == "auto" and not is_needed):
        return "cpu"
    if not is_needed:
        raise NuriError(
            ErrorCode.unsupported,
            "CUDA was asked for, but every network of this version computes on the CPU",
            "Use --device auto",
        )
    name, reason = _cuda_device()
    if name:
        return name
    if requested == "auto":
        return "cpu"
    raise NuriError(
        ErrorCode.unsupported,
        f"CUDA was asked for, but {reason}",
        "Use --device auto, or see what `python3 install.py doctor` says of the device",
    )


def _cuda_device() -> tuple[str, str]:
    """(name of the CUDA device, "") or ("", why there is none)."""
    try:
        import torch
    except ImportError:
        return "", "PyTorch is not installed"
    if not torch.cuda.is_available():
        return "", f"PyTorch {torch.__version__} finds no CUDA device"
    return str(torch.cuda.get_device_name(0)), ""
