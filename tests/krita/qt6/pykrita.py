"""Krita 6's package of plugins, as far as the plugin asks it."""

from __future__ import annotations


def qt_major_version() -> int:
    return 6
