"""Picture files built by hand for the tests: exact bytes, every depth, and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np

from backend.imaging.io import read_image
from protocol.errors import NuriError

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png(
    width: int, height: int, depth: int, colour_type: int, rows: bytes, before: bytes = b""
) -> bytes:
    """A PNG of packed rows without filter bytes; ``before``: chunks before the pixels."""
    stride = len(rows) // height
    lines = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", header),
            before,
            chunk(b"IDAT", zlib.compress(lines)),
            chunk(b"IEND", b""),
        )
    )


def png_claiming(width: int, height: int) -> bytes:
    """A small file whose header claims any size: what a decompression bomb looks like."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000, 9)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def archive(parts: dict[str, bytes]) -> bytes:
    """A ZIP of the given parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return stream.getvalue()


def lzf_literals(data: bytes) -> bytes:
    """LZF that only uses literal runs: packs nothing, but is valid."""
    runs = (data[i : i + 32] for i in range(0, len(data), 32))
    return b"".join(bytes([len(run) - 1]) + run for run in runs)


def tiles(pixels: np.ndarray) -> bytes:
    """The tile data of a Krita layer of (H, W, pixel size) bytes, LZF-packed planes."""
    height, width, size = pixels.shape
    out = [b"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE %d\n" % size]
    places = [(x, y) for y in range(0, height, 64) for x in range(0, width, 64)]
    out.append(b"DATA %d\n" % len(places))
    for x, y in places:
        tile = np.zeros((64, 64, size), np.uint8)
        part = pixels[y : y + 64, x : x + 64]
        tile[: part.shape[0], : part.shape[1]] = part
        packed = b"\1" + lzf_literals(tile.transpose(2, 0, 1).tobytes())
        if len(packed) > tile.size:
            packed = b"\0" + tile.tobytes()
        out.append(b"%d,%d,LZF,%d\n" % (x, y, len(packed)) + packed)
    return b"".join(out)


def kra(
    layers: dict[str, np.ndarray],
    attributes: dict[str, str] | None = None,
    merged: bytes | None = None,
) -> bytes:
    """A .kra of RGBA layers, top first. ``attributes``: more of them for a layer's XML, by name."""
    height, width = next(iter(layers.values())).shape[:2]
    rows, parts = [], {}
    for number, (name, rgba) in enumerate(layers.items()):
        more = (attributes or {}).get(name, "")
        rows.append(
            f'<layer name="{name}" nodetype="paintlayer" colorspacename="RGBA" '
            f'filename="layer{number}" {more}/>'
        )
        parts[f"t/layers/layer{number}"] = tiles(rgba[..., (2, 1, 0, 3)])
        parts[f"t/layers/layer{number}.defaultpixel"] = b"\0\0\0\0"
    xml = (
        '<DOC xmlns="http://www.calligra.org/DTD/krita">'
        f'<IMAGE name="t" width="{width}" height="{height}"><layers>{"".join(rows)}</layers>'
        "</IMAGE></DOC>"
    )
    if merged is not None:
        parts["mergedimage.png"] = merged
    return archive({"mimetype": b"application/x-krita", "maindoc.xml": xml.encode(), **parts})


def ora(stack: str, parts: dict[str, bytes], width: int, height: int) -> bytes:
    """An .ora with the given inside of its root stack."""
    xml = f'<image w="{width}" h="{height}"><stack>{stack}</stack></image>'
    return archive({"mimetype": b"image/openraster", "stack.xml": xml.encode(), **parts})


def pixels_or_error(data: bytes, file_name: str, layer: str = "") -> np.ndarray:
    """The pixels of a file that may be broken in any way.

    An error has to be the one users see, in one line with the name of the file; it gives no pixels.
    """
    try:
        return read_image(data, file_name, layer)
    except NuriError as error:
        if file_name not in str(error) or "\n" in str(error):
            raise AssertionError(f"unclear: {error}") from error
        return np.empty(0)
