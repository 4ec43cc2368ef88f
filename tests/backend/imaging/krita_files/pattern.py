"""The pixels of the files in this folder, computed; standard library, runs inside Krita too."""

from __future__ import annotations

import struct

WIDTH, HEIGHT = 150, 90
PACK = {"U8": "<B", "U16": "<H", "F16": "<e", "F32": "<f"}
SCALE = {"U8": 1, "U16": 257, "F16": 1 / 255, "F32": 1 / 255}
# Name: width, height, x and y of the painted part, what the layer was moved by, noise or pattern.
LAYERS = {
    "Ünïcode line <&>": (WIDTH, HEIGHT, 0, 0, 0, 0, False),
    "Noisy": (78, 70, -10, -5, 0, 0, True),
    "Moved": (50, 40, 10, 20, 37, -11, False),
    "Hints": (30, 20, 100, 60, 0, 0, False),
    "Empty": (0, 0, 0, 0, 0, 0, False),
}


def value(x: int, y: int, channel: int, noisy: bool) -> int:
    """A channel of a painted pixel, 0..255; patterns have transparent places."""
    if noisy:
        mixed = (x * 2654435761 ^ y * 2246822519 ^ channel * 3266489917) & 0xFFFFFFFF
        return (mixed * 2654435761 & 0xFFFFFFFF) >> 24
    return (x * 7 + y * 3 + channel * 50) % 256 if (x // 13 + y // 9) % 3 == 0 else 0


def painted(name: str, channels: int, depth: str) -> bytes:
    """The stored bytes of the painted part of a layer."""
    width, height, *_, noisy = LAYERS[name]
    numbers = (
        value(x, y, channel, noisy) * SCALE[depth]
        for y in range(height)
        for x in range(width)
        for channel in range(channels)
    )
    return b"".join(struct.pack(PACK[depth], number) for number in numbers)
