"""Names of files as bytes: some are no text, for they were made under another encoding."""

from __future__ import annotations


def name_bytes(text: str) -> bytes:
    """UTF-8, with the bytes that file names have instead of it; the same in every locale."""
    return text.encode(errors="surrogateescape")
