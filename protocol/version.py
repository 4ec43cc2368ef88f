"""Version of the protocol, counted apart from the version of the program (see SPEC.md)."""

from __future__ import annotations

from .errors import ErrorCode, NuriError

PROTOCOL_VERSION = "1.4"


def major(version: str) -> int:
    """Number before the point of "major.minor"; -1 when the text is no version."""
    head, _, tail = version.partition(".")
    numbers = head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit()
    return int(head) if numbers and len(version) <= 16 else -1


def can_talk(version: str) -> bool:
    """True when a peer of this protocol version understands us: the same major number."""
    return major(version) == major(PROTOCOL_VERSION)


def mismatch(
    message: str, *, client: str = PROTOCOL_VERSION, daemon: str = PROTOCOL_VERSION
) -> NuriError:
    """The error where ``client`` and ``daemon`` speak these versions: update the older side."""
    if major(daemon) > major(client):
        action = "Update the client: run `python3 install.py plugin` of the newer Nuri"
    else:
        action = "Update the backend: `nuri stop`, then the newer Nuri's `python3 install.py demo`"
    return NuriError(ErrorCode.version_mismatch, message, action)
