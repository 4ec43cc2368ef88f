"""The errors that reading a picture file can end in; each names the file and the remedy."""

from __future__ import annotations

from protocol import limits
from protocol.errors import ErrorCode, NuriError

READABLE = "PNG, JPEG, WebP, TIFF, .kra and .ora"


def damaged(file_name: str, detail: object = "", what: str = "is damaged") -> NuriError:
    """The error for a file whose kind is known but whose content cannot be read."""
    return NuriError(
        ErrorCode.bad_input,
        f"{file_name} {what} and cannot be read",
        "Save it again from the program that made it",
        detail=str(detail),
    )


def unsupported(file_name: str, what: str, action: str) -> NuriError:
    """The error for a file that is sound, but of a kind that is not read."""
    return NuriError(ErrorCode.unsupported, f"{file_name} {what}", action)


def no_memory(file_name: str) -> NuriError:
    return NuriError(
        ErrorCode.no_memory,
        f"there is not enough memory to read {file_name}",
        "Close other programs or use a smaller picture",
    )


def check_size(width: int, height: int, file_name: str) -> None:
    """Refuse a picture by its announced size, before any pixel is decoded.

    Raises bad_input (no pixels) or too_large (a side over 20,000 px, or over 268 million pixels).
    """
    if width < 1 or height < 1:
        raise damaged(file_name, f"{width} x {height} pixels", "has no pixels")
    if max(width, height) > limits.SIDE or width * height > limits.PIXELS:
        raise NuriError(
            ErrorCode.too_large,
            f"{file_name} says that it is {width} x {height} pixels, more than Nuri opens",
            f"Use at most {limits.SIDE} pixels a side and {limits.PIXELS // 10**6} million in all",
        )
