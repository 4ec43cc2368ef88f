"""A drawing for the checks: two rooms side by side in a frame, everything else is outside."""

from __future__ import annotations

import struct

SRGB = "sRGB-elle-V2-srgbtrc.icc"
LINEAR = "sRGB-elle-V2-g10.icc"

# (model, depth, profile), black ink, two hint colours; in the bytes of that colour space.
SPACES = {
    "rgba8": (
        ("RGBA", "U8", SRGB),
        bytes((0, 0, 0, 255)),
        bytes((12, 34, 250, 255)),
        bytes((251, 120, 7, 255)),
    ),
    "rgba16": (
        ("RGBA", "U16", SRGB),
        struct.pack("<4H", 0, 0, 0, 65535),
        struct.pack("<4H", 1001, 40003, 65001, 65535),
        struct.pack("<4H", 65534, 257, 3, 65535),
    ),
    "rgbaf16": (
        ("RGBA", "F16", LINEAR),
        struct.pack("<4e", 0, 0, 0, 1),
        struct.pack("<4e", 0.123, 0.75, 0.0625, 1),
        struct.pack("<4e", 1.5, 0.25, 0.001, 1),
    ),
    "rgbaf32": (
        ("RGBA", "F32", LINEAR),
        struct.pack("<4f", 0, 0, 0, 1),
        struct.pack("<4f", 0.1234567, 0.7654321, 0.05, 1),
        struct.pack("<4f", 1.7654321, 0.25, 1e-5, 1),
    ),
    "graya8": (
        ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"),
        bytes((0, 255)),
        bytes((90, 255)),
        bytes((201, 255)),
    ),
    "graya16": (
        ("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc"),
        struct.pack("<2H", 0, 65535),
        struct.pack("<2H", 20001, 65535),
        struct.pack("<2H", 50003, 65535),
    ),
    "grayaf16": (
        ("GRAYA", "F16", "Gray-D50-elle-V2-g10.icc"),
        struct.pack("<2e", 0, 1),
        struct.pack("<2e", 0.1234, 1),
        struct.pack("<2e", 0.654, 1),
    ),
    "cmyka8": (
        ("CMYKA", "U8", "Chemical proof"),
        bytes((0, 0, 0, 255, 255)),
        bytes((200, 13, 7, 1, 255)),
        bytes((3, 180, 220, 5, 255)),
    ),
    "cmyka16": (
        ("CMYKA", "U16", "Chemical proof"),
        struct.pack("<5H", 0, 0, 0, 65535, 65535),
        struct.pack("<5H", 50001, 1003, 9, 2, 65535),
        struct.pack("<5H", 7, 45001, 60003, 1, 65535),
    ),
    "laba16": (
        ("LABA", "U16", "Lab identity built-in"),
        struct.pack("<4H", 0, 32896, 32896, 65535),
        struct.pack("<4H", 30001, 50003, 40009, 65535),
        struct.pack("<4H", 50011, 20003, 30011, 65535),
    ),
}


class Rooms:
    """Places in the drawing on a canvas of ``width`` x ``height``."""

    def __init__(self, width, height, thickness=4):
        self.width, self.height = width, height
        self.left, self.right = width // 8, width * 7 // 8
        self.top, self.bottom = height // 8, height * 7 // 8
        self.middle = width // 2
        self.thickness = thickness
        half = (self.top + self.bottom) // 2
        self.first = (self.left + self.middle) // 2, half
        self.second = (self.middle + self.right) // 2, half
        self.outside = self.left // 2, self.top // 2

    def lines(self):
        """Rectangles (x, y, width, height) of ink."""
        wide, high = self.right - self.left, self.bottom - self.top
        pen = self.thickness
        return [
            (self.left, self.top, wide + pen, pen),
            (self.left, self.bottom, wide + pen, pen),
            (self.left, self.top, pen, high),
            (self.middle, self.top, pen, high),
            (self.right, self.top, pen, high),
        ]

    def dots(self):
        """Rectangles of the two hints."""
        return [(x - 4, y - 4, 9, 9) for x, y in (self.first, self.second)]
