"""What some tests need that a machine may lack."""

from __future__ import annotations

import pytest

from training.pretrained import resolve

needs_squeezenet = pytest.mark.skipif(
    resolve("squeezenet1_1") is None, reason="the SqueezeNet of the data folder is absent"
)
