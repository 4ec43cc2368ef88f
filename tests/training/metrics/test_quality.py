"""PSNR, SSIM and their like against scikit-image and pytorch-msssim."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_msssim
import torch
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torch.nn import functional

from training.metrics import ms_ssim, mse, psnr, ssim


def pictures(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Smooth pictures and noisy copies of them, 8-bit."""
    generator = torch.Generator().manual_seed(height)
    rough = torch.rand(3, 3, 6, 6, generator=generator)
    smooth = functional.interpolate(rough, (height, width), mode="bicubic") * 255
    noisy = smooth + 20 * torch.randn(smooth.shape, generator=generator)
    return noisy.clamp(0, 255).to(torch.uint8), smooth.clamp(0, 255).to(torch.uint8)


def arrays(images: Tensor) -> list[np.ndarray]:
    return [image.permute(1, 2, 0).numpy() for image in images]


def test_mse_and_psnr_are_those_of_skimage() -> None:
    a, b = pictures(40, 56)
    for index, (x, y) in enumerate(zip(arrays(a), arrays(b), strict=True)):
        assert float(mse(a, b)[index]) == pytest.approx(mean_squared_error(x / 255, y / 255))
        expected = peak_signal_noise_ratio(y, x, data_range=255)
        assert float(psnr(a, b)[index]) == pytest.approx(expected, abs=1e-9)


def test_ssim_is_that_of_skimage() -> None:
    a, b = pictures(40, 56)
    for index, (x, y) in enumerate(zip(arrays(a), arrays(b), strict=True)):
        expected = structural_similarity(
            x, y, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip
        assert float(ssim(a, b)[index]) == pytest.approx(expected, abs=1e-6)


def test_ssim_is_that_of_pytorch_msssim() -> None:
    a, b = pictures(40, 56)
    expected = pytorch_msssim.ssim(a.double(), b.double(), data_range=255, size_average=False)
    # its window is in single precision
    torch.testing.assert_close(ssim(a, b), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(176, 200), (181, 193)])
def test_ms_ssim_is_that_of_pytorch_msssim(size: tuple[int, int]) -> None:
    a, b = pictures(*size)
    expected = pytorch_msssim.ms_ssim(a.double(), b.double(), data_range=255, size_average=False)
    torch.testing.assert_close(ms_ssim(a, b), expected, atol=1e-5, rtol=0)


def test_no_difference_at_all() -> None:
    a, _ = pictures(176, 176)
    assert psnr(a, a).tolist() == [99.0] * 3
    assert mse(a, a).tolist() == [0.0] * 3
    torch.testing.assert_close(ssim(a, a), torch.ones(3).double())
    torch.testing.assert_close(ms_ssim(a, a), torch.ones(3).double())


def test_pictures_too_small_are_refused() -> None:
    small = torch.zeros(1, 3, 10, 40, dtype=torch.uint8)
    with pytest.raises(ValueError, match="at least 11"):
        ssim(small, small)
    narrow = torch.zeros(1, 3, 160, 400, dtype=torch.uint8)
    with pytest.raises(ValueError, match="more than 160"):
        ms_ssim(narrow, narrow)
