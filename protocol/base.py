"""What all messages share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import ClassVar

from . import checks, limits
from .pixels import PixelBuffer, Plane

SECONDS = 1e10
COUNT = 2**31 - 1
BYTES = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the daemon accepts; the defaults are the limits of the protocol itself.

    ``window``: frames of a stream that may be under way each way. ``queue``: jobs waiting in each
    lane.
    """

    header_bytes: int = limits.HEADER_BYTES
    info_bytes: int = limits.INFO_BYTES
    buffers: int = limits.BUFFERS
    buffer_bytes: int = limits.BUFFER_BYTES
    message_bytes: int = limits.MESSAGE_BYTES
    side: int = limits.SIDE
    pixels: int = limits.PIXELS
    queue: int = 64
    clients: int = 64
    window: int = 4

    def __post_init__(self) -> None:
        for entry in fields(self):
            checks.integer(getattr(self, entry.name), f"limits.{entry.name}", 1, BYTES)

    def check(self, planes: Iterable[Plane]) -> None:
        """Raises `NuriError` too_large for pictures over what the daemon takes."""
        pixels = size = 0
        for plane in planes:
            size += len(plane.data)
            is_over = len(plane.data) > self.buffer_bytes or size > self.message_bytes
            if isinstance(plane, PixelBuffer):
                pixels += plane.width * plane.height
                is_over |= max(plane.width, plane.height) > self.side or pixels > self.pixels
            if is_over:
                raise checks.too_large(
                    f"The picture {plane.name} is larger than the backend takes",
                    f"Use at most {self.side} pixels a side and {self.pixels} pixels in all",
                )


class Message:
    """Base of all messages; ``TYPE`` is the name on the wire."""

    TYPE: ClassVar[str]
    # Fields that travel in a frame of their own, because they may outgrow the header.
    INFO: ClassVar[tuple[str, ...]] = ()
    # Name of the field that holds the pictures, or "".
    PLANES: ClassVar[str] = ""


def instance(value: object, expected: type, name: str) -> None:
    """Raises `NuriError` malformed unless ``value`` is an ``expected``."""
    if not isinstance(value, expected):
        raise checks.malformed(f"{name} must be {expected.__name__}, not {type(value).__name__}")
