"""Every loss of the five papers, unweighted; the weights are the recipe's."""

from __future__ import annotations

from training.losses.adversarial import GANLoss, drift, gradient_penalty
from training.losses.perceptual import FeatureLosses, PerceptualLoss, StyleLoss, gram_matrix
from training.losses.pfanet import PFANet, load_saliency
from training.losses.pixel import LatentReconstruction, PixelLoss, WhitePenalty
from training.losses.saliency import ClassicalSaliency, SaliencyBackend, SaliencyLoss
from training.losses.triplet import CorrespondenceTriplet, positive_cells

__all__ = [
    "ClassicalSaliency", "CorrespondenceTriplet", "FeatureLosses", "GANLoss",
    "LatentReconstruction", "PFANet", "PerceptualLoss", "PixelLoss", "SaliencyBackend",
    "SaliencyLoss", "StyleLoss", "WhitePenalty", "drift", "gradient_penalty", "gram_matrix",
    "load_saliency", "positive_cells",
]  # fmt: skip
