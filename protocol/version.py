"""Version of the protocol, counted apart from the version of the program (see SPEC.md)."""

from __future__ import annotations

PROTOCOL_VERSION = "1.0"


def major(version: str) -> int:
    """Number before the point of "major.minor"; -1 when the text is no version."""
    head, _, tail = version.partition(".")
    numbers = head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit()
    return int(head) if numbers and len(version) <= 16 else -1


def can_talk(version: str) -> bool:
    """True when a peer of this protocol version understands us: the same major number."""
    return major(version) == major(PROTOCOL_VERSION)


def mismatch_action(peer_version: str) -> str:
    """What to update when the daemon speaks ``peer_version`` and the client speaks ours."""
    if major(peer_version) > major(PROTOCOL_VERSION):
        return "Update the client: run `python3 install.py plugin` of the newer Nuri"
    return "Update the backend: run `nuri stop`, then `python3 install.py` of the newer Nuri"
