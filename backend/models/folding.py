"""Networks as they run when nobody trains them: the same function, fewer operations.

A module may take part through three hooks:
- ``fold_pairs() -> list[(convolution, norm)]``: names of children where the batch norm takes the
  convolution's result as it is. Neighbours of an ``nn.Sequential`` need no hook;
- ``training_heads() -> list[str]``: names of children that only training needs, set to None;
- ``inference_form() -> nn.Module``: what stands in the module's place, called with plain weights.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .precision import native_bfloat16

Convolution = (nn.Conv2d, nn.ConvTranspose2d)
BatchNorm = (nn.BatchNorm1d, nn.BatchNorm2d)


def fold_spectral_norm(model: nn.Module) -> None:
    """Replace every parametrised weight in ``model`` by its present value in eval mode."""
    model.eval()
    for module in model.modules():
        if not parametrize.is_parametrized(module):
            continue
        parametrizations = module.get_submodule("parametrizations")
        names = [name for name, _ in parametrizations.named_children()]
        values = {name: getattr(module, name).detach().clone() for name in names}
        # copies share their parametrised class, so torch's own removal would break the original
        del module._modules["parametrizations"]
        module.__class__ = type(module).__bases__[0]
        for name, value in values.items():
            module.register_parameter(name, nn.Parameter(value, requires_grad=False))


def _pairs(module: nn.Module) -> list[tuple[str, str]]:
    if isinstance(module, nn.Sequential):
        return [
            (first, second)
            for (first, conv), (second, norm) in pairwise(module.named_children())
            if isinstance(conv, Convolution) and isinstance(norm, BatchNorm)
        ]
    hook = getattr(module, "fold_pairs", None)
    return list(hook()) if callable(hook) else []


def _fold(conv: nn.Module, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Give ``conv`` the scale and the shift of ``norm``'s running statistics, in float64."""
    if not isinstance(conv, Convolution):
        raise TypeError(f"a batch norm folds into a convolution, not into {type(conv).__name__}")
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    gain = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        gain = gain * norm.weight.detach().double()
    bias = (
        -norm.running_mean.double()
        if conv.bias is None
        else (conv.bias.detach().double() - norm.running_mean.double())
    )
    shift = bias * gain
    if norm.bias is not None:
        shift = shift + norm.bias.detach().double()
    weight = conv.weight.detach().double()
    if isinstance(conv, nn.ConvTranspose2d):
        grouped = weight.unflatten(0, (conv.groups, -1))
        scaled = (grouped * gain.view(conv.groups, 1, -1, 1, 1)).flatten(0, 1)
    else:
        scaled = weight * gain.view(-1, 1, 1, 1)
    dtype = conv.weight.dtype
    conv.weight = nn.Parameter(scaled.to(dtype), requires_grad=False)
    conv.bias = nn.Parameter(shift.to(dtype), requires_grad=False)


def fold_batch_norm(model: nn.Module) -> None:
    """Fold each batch norm of ``model`` that directly follows a convolution into it.

    The model goes to eval mode: what is folded are the running statistics.
    """
    model.eval()
    for module in list(model.modules()):
        for conv, norm in _pairs(module):
            layer = module.get_submodule(norm)
            if isinstance(layer, BatchNorm):
                _fold(module.get_submodule(conv), layer)
                setattr(module, norm, nn.Identity())


def _drop_heads(model: nn.Module) -> None:
    for module in list(model.modules()):
        hook = getattr(module, "training_heads", None)
        for name in hook() if callable(hook) else []:
            setattr(module, name, None)


def _replace(module: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    """``module`` with every child that knows a form for inference in that form, children first."""
    if id(module) not in done:
        for name, child in list(module.named_children()):
            setattr(module, name, _replace(child, done))
        hook = getattr(module, "inference_form", None)
        done[id(module)] = hook() if callable(hook) else module
    return done[id(module)]


def inference_form(model: nn.Module) -> nn.Module:
    """A copy of ``model`` that computes the same with folded norms and without training heads.

    The copy is in eval mode and takes no gradients. In fp32 the results differ by rounding only.
    """
    form = copy.deepcopy(model)
    fold_spectral_norm(form)
    fold_batch_norm(form)
    _drop_heads(form)
    form = _replace(form, {})
    return form.eval().requires_grad_(False)


def fast_form(model: nn.Module, dtype: torch.dtype | None = None) -> nn.Module:
    """`inference_form` in channels_last and in ``dtype``; None is bf16 where it is native."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    if dtype is None:
        dtype = torch.bfloat16 if native_bfloat16(device) else torch.float32
    form = inference_form(model).to(dtype)
    return form.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def to_fast(x: Tensor, dtype: torch.dtype) -> Tensor:
    """An input of a `fast_form`: its dtype, and channels_last where it is a map."""
    x = x.to(dtype)
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
