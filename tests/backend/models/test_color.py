from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import color as skimage_color

from backend.models.color import LabCodec, lab_to_rgb, rgb_to_lab


@pytest.fixture
def colours():
    """Every corner of the cube, the greys and random colours, as (1, 3, H, 1)."""
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), -1).reshape(-1, 3)
    grey = np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1)
    some = np.random.default_rng(0).random((4096, 3))
    return np.concatenate([corners, grey, some]).astype(np.float32)


def as_tensor(rows):
    return torch.from_numpy(rows.T.copy())[None, :, :, None]


def as_rows(image):
    return image[0, :, :, 0].T.numpy()


def test_lab_agrees_with_scikit_image(colours):
    ours = as_rows(rgb_to_lab(as_tensor(colours)))
    theirs = skimage_color.rgb2lab(colours[None])[0]
    assert np.abs(ours - theirs).max() < 1e-3


def test_rgb_agrees_with_scikit_image(colours):
    lab = skimage_color.rgb2lab(colours[None])[0].astype(np.float32)
    theirs = skimage_color.lab2rgb(lab[None])[0]
    assert np.abs(as_rows(lab_to_rgb(as_tensor(lab))) - theirs).max() < 1e-3


def test_round_trip(colours):
    image = as_tensor(colours)
    assert (lab_to_rgb(rgb_to_lab(image)) - image).abs().max() < 1e-4


@pytest.mark.parametrize("value", [0.0, 0.04045, 0.5, 1.0])
def test_gradients_are_finite_there_and_back(value):
    rgb = torch.full((1, 3, 2, 2), value, requires_grad=True)
    lab_to_rgb(rgb_to_lab(rgb), clip=False).sum().backward()
    assert rgb.grad is not None and torch.isfinite(rgb.grad).all()


@pytest.mark.parametrize("lightness", [-16.0, 0.0, 8.0, 50.0, 100.0])
def test_gradients_are_finite_outside_of_srgb(lightness):
    lab = torch.tensor([lightness, 120.0, -120.0]).view(1, 3, 1, 1).requires_grad_()
    rgb = lab_to_rgb(lab)
    rgb.sum().backward()
    assert ((rgb >= 0) & (rgb <= 1)).all()
    assert lab.grad is not None and torch.isfinite(lab.grad).all()


def test_gradient_is_that_of_the_formula():
    rgb = torch.rand(1, 3, 3, 3, dtype=torch.float64) * 0.9 + 0.05
    assert torch.autograd.gradcheck(rgb_to_lab, rgb.requires_grad_())


@pytest.mark.parametrize(("name", "low", "high"), [("ibn", -1.0, 1.0), ("zhang", -0.5, 0.5)])
def test_codecs_of_the_papers(name, low, high, colours):
    codec = LabCodec.named(name)
    image = as_tensor(colours)
    gray, ab = codec.encode(image)
    assert gray.shape[1] == 1 and ab.shape[1] == 2
    assert gray.min() == pytest.approx(low, abs=1e-4)
    assert gray.max() == pytest.approx(high, abs=1e-4)
    assert ab.abs().max() < 1
    assert (codec.decode(gray, ab) - image).abs().max() < 1 / 255


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="zang"):
        LabCodec.named("zang")
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\)"):
        rgb_to_lab(torch.zeros(3, 4, 4))


def test_lab_stays_in_full_precision_under_autocast(colours):
    image = as_tensor(colours)
    codec = LabCodec.named("ibn")
    lab, back = rgb_to_lab(image), lab_to_rgb(rgb_to_lab(image))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(rgb_to_lab(image), lab)
        assert torch.equal(lab_to_rgb(lab), back)
        decoded = codec.decode(*codec.encode(image))
    assert torch.equal(decoded, codec.decode(*codec.encode(image)))
    half = image.bfloat16()
    assert torch.equal(rgb_to_lab(half), rgb_to_lab(half.float()))
    gray, ab = (part.bfloat16() for part in codec.encode(image))
    assert torch.equal(codec.decode(gray, ab), codec.decode(gray.float(), ab.float()))
