"""How far pictures are from the truth: per picture, and over a data set."""

from __future__ import annotations

from training.metrics.chroma import ChromaHistograms, ab_l1, ab_psnr
from training.metrics.deep import LPIPS, PerceptualDistance, load_lpips, load_perceptual
from training.metrics.evaluator import NAMES, PARTS, STAND_INS, Evaluator
from training.metrics.frechet import FrechetDistance, Moments, frechet_distance, load_inception
from training.metrics.quality import ms_ssim, mse, psnr, ssim
from training.metrics.regions import closed_regions, exact_accuracy, near_accuracy
from training.metrics.value import MetricValue, unavailable

__all__ = [
    "LPIPS", "NAMES", "PARTS", "STAND_INS", "ChromaHistograms", "Evaluator", "FrechetDistance",
    "MetricValue", "Moments", "PerceptualDistance", "ab_l1", "ab_psnr", "closed_regions",
    "exact_accuracy", "frechet_distance", "load_inception", "load_lpips", "load_perceptual",
    "ms_ssim", "mse", "near_accuracy", "psnr", "ssim", "unavailable",
]  # fmt: skip
