"""What the commands of `nuri-train` do, as short readable sequences."""

from __future__ import annotations
