"""Adversarial losses over lists of logit maps.

Least squares: Mao et al., "Least Squares GANs" (2017). Log losses: Goodfellow et al., "Generative
Adversarial Nets" (2014), section 3. Wasserstein with gradient penalty: Gulrajani et al. (2017),
equation 3; drift: Karras et al., "Progressive Growing of GANs" (2018), appendix A.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

FORMS = ("lsgan", "nsgan", "minimax", "wgan_gp")


class GANLoss:
    """One of the forms, as the mean over each map and the sum over the maps of a list.

    - ``lsgan``: critic (D(x) - real_label)^2 and D(G)^2, generator (D(G) - 1)^2.
    - ``nsgan``: critic cross entropy with ``real_label`` (one-sided smoothing) and 0, generator
      -log D(G).
    - ``minimax``: the same critic, generator log(1 - D(G)), which saturates.
    - ``wgan_gp``: critic -D(x) and D(G), generator -D(G); add `gradient_penalty`.

    Raises ValueError for an unknown form.
    """

    def __init__(self, form: str = "lsgan", *, real_label: float = 1.0) -> None:
        if form not in FORMS:
            raise ValueError(f"the adversarial form is {form!r}; use one of {', '.join(FORMS)}")
        self.form = form
        self.real_label = real_label

    def critic(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The critic's two terms, of logits for real and for generated pictures."""
        if self.form == "wgan_gp":
            return -_total(torch.mean, real), _total(torch.mean, fake)
        return (
            _total(lambda logits: self._against(logits, self.real_label), real),
            _total(lambda logits: self._against(logits, 0.0), fake),
        )

    def generator(self, fake: Sequence[Tensor]) -> Tensor:
        """The generator's term, of logits for generated pictures."""
        if self.form == "wgan_gp":
            return -_total(torch.mean, fake)
        if self.form == "minimax":
            return -_total(lambda logits: self._against(logits, 0.0), fake)
        return _total(lambda logits: self._against(logits, 1.0), fake)

    def _against(self, logits: Tensor, label: float) -> Tensor:
        logits = logits.float()
        labels = torch.full_like(logits, label)
        if self.form == "lsgan":
            return functional.mse_loss(logits, labels)
        return functional.binary_cross_entropy_with_logits(logits, labels)


def gradient_penalty(
    critic: Callable[[Tensor], Sequence[Tensor]], real: Tensor, fake: Tensor
) -> Tensor:
    """Mean (|d D(x) / d x| - 1)^2 at a random point between each real and fake picture.

    The generator may have made its pictures in bf16.
    """
    share = torch.rand(real.shape[0], *[1] * (real.ndim - 1), device=real.device)
    between = torch.lerp(fake.detach().to(real.dtype), real.detach(), share).requires_grad_(True)
    logits = _total(torch.sum, critic(between))
    (gradient,) = torch.autograd.grad(logits, between, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def drift(real: Sequence[Tensor]) -> Tensor:
    """Mean D(x)^2: keeps the logits of a Wasserstein critic near zero."""
    return _total(lambda logits: logits.square().mean(), real)


def _total(term: Callable[[Tensor], Tensor], maps: Sequence[Tensor]) -> Tensor:
    return torch.stack([term(logits) for logits in maps]).sum()
