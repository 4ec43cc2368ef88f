"""These tests need PyTorch and the training tools; without them they are left out, and said so."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

MISSING = [name for name in ("torch", "torchvision", "lightning_fabric") if find_spec(name) is None]
collect_ignore_glob = ["*"] if MISSING else []


def pytest_report_header() -> str | None:
    return f"LEFT OUT: {__package__}, because {', '.join(MISSING)} is missing" if MISSING else None


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread for small networks: several would wait for each other on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
