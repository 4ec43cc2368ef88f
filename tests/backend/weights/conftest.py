"""These tests need PyTorch; without them they are left out, and said so."""

from __future__ import annotations

from importlib.util import find_spec

MISSING = [name for name in ("torch", "safetensors") if find_spec(name) is None]
collect_ignore_glob = ["*"] if MISSING else []


def pytest_report_header() -> str | None:
    return f"LEFT OUT: {__package__}, because {', '.join(MISSING)} is missing" if MISSING else None
