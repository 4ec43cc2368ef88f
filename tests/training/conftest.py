"""These tests need PyTorch and the training tools; without them they are left out, and said so."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

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


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights in any place but, if a test puts them there, NURI_PRETRAINED."""
    import torch

    folder = tmp_path / "pretrained"
    folder.mkdir()
    monkeypatch.setenv("NURI_PRETRAINED", str(folder))
    monkeypatch.setenv("NURI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda *_a, **_k: pytest.fail("a download")
    )
    return folder
