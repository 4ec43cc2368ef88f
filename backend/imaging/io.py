"""The one place of the backend that knows files: bytes to pixels, pixels to PNG, bytes to disk.

The decoders are imported where they are needed: the thin commands of `nuri` read and write files
without waiting for NumPy and OpenCV.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from protocol import limits
from protocol.errors import ErrorCode, NuriError

if TYPE_CHECKING:
    import numpy as np

    from .layered import LayeredFile

_KINDS = {
    "png": lambda head: head[:8] == b"\x89PNG\r\n\x1a\n",
    "jpeg": lambda head: head[:3] == b"\xff\xd8\xff",
    "webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "tiff": lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "layered": lambda head: head[:4] == b"PK\x03\x04",
}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".kra", ".ora")
_BLOCK = 1 << 20
_OPEN_ALREADY = ("/dev/stdin", "/dev/fd/", "/proc/")  # pipes that a shell has opened for us


def kind_of(data: bytes | memoryview, file_name: str) -> str:
    """ "png", "jpeg", "webp", "tiff" or "layered", told by the content. Raises bad_input."""
    head = bytes(data[:16])
    for kind, matches in _KINDS.items():
        if matches(head):
            return kind
    from . import refusal

    what = "is empty" if not head else "is no picture that Nuri can read"
    raise NuriError(
        ErrorCode.bad_input, f"{file_name} {what}", f"Nuri reads {refusal.READABLE} files"
    )


def looks_readable(path: Path) -> bool:
    """True for a file name with an ending of a kind that `read_image` reads."""
    return path.suffix.lower() in _SUFFIXES


def is_layered(path: Path) -> bool:
    """True for a file name that ends in .kra or .ora."""
    return path.suffix.lower() in (".kra", ".ora")


def read_image(data: bytes | memoryview, file_name: str, layer: str = "") -> np.ndarray:
    """Decode a PNG, JPEG, WebP, TIFF, .kra or .ora file.

    (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA with straight alpha; uint8, or uint16 where the
    file has more than 8 bits a channel. ``layer``: a paint layer or group of a .kra or .ora file,
    "" is the merged picture; ignored for other files. Sizes are refused before anything is decoded.
    Raises bad_input, too_large, not_found (layer), unsupported, no_memory; each names the file.
    """
    kind = kind_of(data, file_name)
    if kind == "layered":
        layered = open_layered(data, file_name)
        return layered.layer(layer) if layer else layered.merged()
    if kind == "png":
        from . import png, raster

        chunks = png.read_chunks(data, file_name)
        pixels = png.decode(chunks, file_name)
        return raster.oriented(pixels, raster.orientation_of(png.exif(chunks)))
    from . import raster

    return raster.decode(data, file_name, kind)


@dataclass(frozen=True)
class Picture:
    """``pixels``: as `read_image` gives them. ``icc``: the RGB profile that their values belong to,
    b"" where they are sRGB. ``warning``: of a profile that was left out, or "".
    """

    pixels: np.ndarray
    icc: bytes = b""
    warning: str = ""


def read_picture(data: bytes | memoryview, file_name: str, layer: str = "") -> Picture:
    """`read_image` with the colours that the values mean; grey ones with a profile become sRGB."""
    pixels = read_image(data, file_name, layer)
    if kind_of(data, file_name) == "layered":
        return Picture(pixels)
    from . import icc

    pixels, profile, sound = icc.settle(pixels, _profile(data, file_name))
    broken = f"{file_name} has a broken colour profile: its colours are taken as sRGB"
    return Picture(pixels, profile, "" if sound else broken)


def _profile(data: bytes | memoryview, file_name: str) -> bytes | None:
    """The ICC profile of a picture that has been read, b"" for none, None where it is broken."""
    kind = kind_of(data, file_name)
    if kind == "layered":
        return b""
    from . import png, raster

    if kind == "png":
        return png.profile(png.read_chunks(data, file_name))
    return raster.profile(data, file_name, kind)


def as_srgb(data: bytes | memoryview, file_name: str) -> tuple[bytes | memoryview, str]:
    """The file itself, or a PNG of its colours in sRGB where it has another profile; and a warning
    of a profile that was left out, or "".

    RGB that had to be converted has 8 bits a channel. Raises as `read_image`.
    """
    picture = read_picture(data, file_name)
    if not _profile(data, file_name):
        return data, picture.warning
    from . import icc, planes

    try:
        convert = icc.conversion(picture.icc, b"")
    except ValueError:
        return data, f"the colours of {file_name} could not be converted to sRGB"
    if convert is not None:
        return encode_png(convert(planes.eight_bit_rgb(picture.pixels))), ""
    if picture.icc or picture.warning:
        return data, picture.warning
    return encode_png(picture.pixels), ""  # of a profile of grey or inks, converted when read


def open_layered(data: bytes | memoryview, file_name: str) -> LayeredFile:
    """A .kra or .ora file, to read several of its layers. Raises as `read_image`."""
    from .layered import LayeredFile

    return LayeredFile(data, file_name)


def layer_names(data: bytes | memoryview, file_name: str) -> list[str]:
    """Paint layers and groups of a .kra or .ora file, top first; empty for other pictures."""
    if kind_of(data, file_name) != "layered":
        return []
    from .layered import names

    return names(open_layered(data, file_name).tree)


def encode_png(pixels: np.ndarray, icc: bytes = b"") -> bytes:
    """A PNG of (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16. Raises no_memory."""
    from . import png

    return png.encode(pixels, icc)


def resolved(path: Path) -> Path:
    """The path without links. Those in a circle stay, for who opens the path to complain of."""
    return Path(os.path.realpath(path))


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises not_found, bad_input (unreadable), too_large."""
    try:
        if _would_wait(path):
            raise NuriError(
                ErrorCode.bad_input,
                f"{path} is a pipe or device, no file",
                "Save the picture in a file, or send it to /dev/stdin",
            )
        with open(path, "rb") as file:
            facts = os.fstat(file.fileno())
            data = b""
            if facts.st_size <= limits.BUFFER_BYTES:
                data = file.read() if stat.S_ISREG(facts.st_mode) else _from_pipe(file)
            if max(facts.st_size, len(data)) > limits.BUFFER_BYTES:
                raise NuriError(
                    ErrorCode.too_large,
                    f"{path} is larger than {limits.BUFFER_BYTES // 2**20} MB",
                    "Save it compressed or smaller",
                )
            return data
    except FileNotFoundError:
        raise NuriError(
            ErrorCode.not_found, f"{path} does not exist", "Check the name and the folder"
        ) from None
    except IsADirectoryError:
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} is a folder",
            "Name a picture; `nuri batch` is for a folder of drawings",
        ) from None
    except OSError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} cannot be read: {error.strerror or error}",
            "Check its name and who may read it",
        ) from None


def _from_pipe(file: BinaryIO) -> bytes:
    """What comes through a pipe, as far as it may be read; never more memory than that."""
    data = bytearray()
    while len(data) <= limits.BUFFER_BYTES and (part := file.read(_BLOCK)):
        data += part
    return bytes(data)


def _would_wait(path: Path) -> bool:
    """True for what is no regular file: nobody may ever write to a pipe that has a name."""
    mode = path.stat().st_mode
    is_file = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    return not is_file and not os.path.abspath(path).startswith(_OPEN_ALREADY)


def check_writable(path: Path) -> None:
    """Refuse, before any work is done, a place that `write_atomic` could not write to."""
    folder = resolved(path).parent
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_folder = False
    except OSError as error:
        raise _write_error(path, error) from None
    if is_folder:
        raise NuriError(
            ErrorCode.bad_input, f"{path} is a folder", "Add the name of the picture to write"
        )
    if not folder.is_dir():
        reason = "is a file" if folder.exists() else "does not exist"
        raise _cannot_write(path, f"the folder {folder} {reason}", "Create the folder first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(path, f"the folder {folder} is read-only", "Choose another folder")


def is_standard_output(path: Path) -> bool:
    """True for a name of what this process prints to, such as /dev/stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def make_folder(path: Path) -> None:
    """Make a folder and those above it where they are missing. Raises bad_input, disk_full."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _write_error(path, error) from None


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then renamed.

    Devices and pipes are written straight. Raises not_found (folder), bad_input, disk_full.
    """
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            path.write_bytes(data)
            return
    except OSError as error:
        raise _write_error(path, error) from None
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives an empty file beside ``path`` to be written; then it is synced and takes the name.

    Where anything fails, nothing is left of it. Raises not_found (folder), bad_input, disk_full.
    """
    target = resolved(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".nuri-", suffix=".part", dir=target.parent)
        temporary = Path(name)
        try:
            with open(handle, "rb") as file:
                yield temporary
                os.fsync(file.fileno())
            temporary.chmod(_mode_of(target))
            temporary.replace(target)
        except BaseException:  # Ctrl-C too must leave nothing behind
            temporary.unlink()
            raise
    except OSError as error:
        raise _write_error(path, error) from None


def _mode_of(target: Path) -> int:
    """The mode of the file that is replaced, or the one a new file would get."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _cannot_write(
    path: Path, why: str, action: str, code: ErrorCode = ErrorCode.bad_input
) -> NuriError:
    return NuriError(code, f"{path} cannot be written: {why}", action)


def _write_error(path: Path, error: OSError) -> NuriError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _cannot_write(
            path, "the disk is full", "Free some space or choose another disk", ErrorCode.disk_full
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _cannot_write(path, "the folder is read-only", "Choose another folder")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _cannot_write(
            path, "its folder does not exist", "Create the folder first", ErrorCode.not_found
        )
    return _cannot_write(path, error.strerror or str(error), "Choose another name or folder")
