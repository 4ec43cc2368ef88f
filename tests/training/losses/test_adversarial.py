"""Adversarial forms against the formulas written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.losses import GANLoss, drift, gradient_penalty


@pytest.fixture
def maps() -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(3)
    shapes = [(2, 1, 5, 5), (2, 1, 3, 3)]
    real, fake = ([torch.randn(s, generator=generator) for s in shapes] for _ in range(2))
    return real, fake


def test_least_squares(maps: tuple[list[Tensor], list[Tensor]]) -> None:
    real, fake = maps
    of_real, of_fake = GANLoss("lsgan").critic(real, fake)
    torch.testing.assert_close(of_real, sum(((m - 1) ** 2).mean() for m in real))
    torch.testing.assert_close(of_fake, sum((m**2).mean() for m in fake))
    torch.testing.assert_close(
        GANLoss("lsgan").generator(fake), sum(((m - 1) ** 2).mean() for m in fake)
    )


def test_cross_entropy_smooths_the_real_side_of_the_critic_alone(
    maps: tuple[list[Tensor], list[Tensor]],
) -> None:
    real, fake = maps
    loss = GANLoss("nsgan", real_label=0.9)
    of_real, of_fake = loss.critic(real, fake)

    def smoothed(m: Tensor) -> Tensor:
        p = torch.sigmoid(m)
        return -(0.9 * p.log() + 0.1 * (1 - p).log()).mean()

    torch.testing.assert_close(of_real, sum(smoothed(m) for m in real))
    torch.testing.assert_close(of_fake, sum(-(1 - m.sigmoid()).log().mean() for m in fake))
    torch.testing.assert_close(loss.generator(fake), sum(-m.sigmoid().log().mean() for m in fake))


def test_minimax_saturates() -> None:
    sure = torch.full((1, 1), -20.0, requires_grad=True)
    GANLoss("minimax").generator([sure]).backward()
    assert sure.grad is not None and sure.grad.abs() < 1e-6
    unsure = torch.tensor([[0.3]])
    torch.testing.assert_close(
        GANLoss("minimax").generator([unsure]), (1 - unsure.sigmoid()).log().mean()
    )
    other = torch.full((1, 1), -20.0, requires_grad=True)
    GANLoss("nsgan").generator([other]).backward()
    assert other.grad is not None and other.grad.abs() > 0.99


def test_wasserstein(maps: tuple[list[Tensor], list[Tensor]]) -> None:
    real, fake = maps
    of_real, of_fake = GANLoss("wgan_gp").critic(real, fake)
    torch.testing.assert_close(of_real + of_fake, sum(m.mean() for m in fake) - sum(
        m.mean() for m in real
    ))  # fmt: skip
    torch.testing.assert_close(drift(real), sum((m**2).mean() for m in real))


def test_gradient_penalty_of_a_linear_critic() -> None:
    direction = torch.randn(3, 4, 4)
    slope = direction.norm()
    real, fake = torch.rand(2, 5, 3, 4, 4)
    penalty = gradient_penalty(lambda x: [(x * direction).flatten(1).sum(1)], real, fake)
    torch.testing.assert_close(penalty, (slope - 1) ** 2)


def test_gradient_penalty_reaches_the_critic() -> None:
    critic = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    penalty = gradient_penalty(lambda x: [critic(x)], torch.rand(3, 4), torch.rand(3, 4))
    penalty.backward()
    weight = critic[0].weight.grad
    assert weight is not None and weight.abs().sum() > 0


def test_gradient_penalty_takes_pictures_of_a_generator_in_bf16() -> None:
    critic = torch.nn.Linear(4, 1)
    real, fake = torch.rand(3, 4), torch.rand(3, 4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        penalty = gradient_penalty(lambda x: [critic(x)], real, fake)
    assert penalty.isfinite()


def test_an_unknown_form() -> None:
    with pytest.raises(ValueError, match="hinge"):
        GANLoss("hinge")
