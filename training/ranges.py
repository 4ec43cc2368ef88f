"""Refuses a number that a setting cannot be."""

from __future__ import annotations

import math

from training.errors import TrainingError


def require(setting: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise TrainingError that names the setting unless it is finite and in [least, most]."""
    if not (math.isfinite(value) and least <= value <= most):
        wanted = f"at least {least:g}" if most == math.inf else f"{least:g} to {most:g}"
        raise TrainingError(f"{setting} is {value:g}", f"use {wanted}")
