"""Facts about this checkout: where it is, which version, what it needs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

ROOT = Path(__file__).resolve().parent.parent.parent


def version() -> str:
    """The version in pyproject.toml. Raises `NuriError` not_found when the file has none."""
    # tomllib came with Python 3.11; one line needs no parser.
    found = re.search(r'(?m)^version = "([^"]+)"$', _pyproject())
    if not found:
        raise NuriError(
            ErrorCode.not_found,
            f"{ROOT / 'pyproject.toml'} names no version",
            "Get a fresh copy of Nuri",
        )
    return found[1]


def requirements_fingerprint() -> str:
    """Changes whenever pyproject.toml asks for something else to be installed."""
    lines, counts = [], True
    for line in _pyproject().splitlines():
        if line.startswith("["):
            # The settings of linters and tests change nothing that is installed.
            counts = line.startswith("[tool.setuptools") or not line.lstrip("[").startswith("tool.")
        if counts:
            lines.append(line)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _pyproject() -> str:
    path = ROOT / "pyproject.toml"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NuriError(
            ErrorCode.not_found,
            f"{path} cannot be read: {error.strerror}",
            "Run install.py from a complete copy of Nuri",
        ) from error
