"""Training of the five papers' networks: data, losses, engine, presets and reproduction."""

from __future__ import annotations
