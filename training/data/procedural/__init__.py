"""Seeded drawings, shots, pages and photographs with exact regions, so that no data is needed."""

from __future__ import annotations

from .page import page
from .photo import photo
from .shot import film, shot
from .toon import toon

__all__ = ["film", "page", "photo", "shot", "toon"]
