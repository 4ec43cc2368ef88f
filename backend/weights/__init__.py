"""Trained weights that come with Nuri: their list, their files, and what loads them."""

from __future__ import annotations
