"""What install.py does. Standard library only: it runs before any environment exists."""

from __future__ import annotations
