"""The errors that reading a picture file can end in; each names the file and the remedy.

And too little memory, which every library tells in its own way, and mistakes of Nuri itself.
"""

from __future__ import annotations

import errno

from protocol import limits
from protocol.errors import ErrorCode, NuriError

# How libraries put it that raise something else than MemoryError; the last is of the linker.
_NO_MEMORY = ("allocate memory", "Insufficient memory", "bad_alloc", "failed to map segment")
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


def no_memory_for_job() -> NuriError:
    return NuriError(
        ErrorCode.no_memory,
        "there is not enough memory for a picture of this size",
        "Close other programs or use a smaller picture",
    )


def mistake(what: str, error: Exception) -> NuriError:
    """The error for what no picture should bring about; ``what`` failed, as a sentence."""
    return NuriError(
        ErrorCode.internal,
        f"{what}: {type(error).__name__}: {error}",
        "This is a mistake in Nuri; please report it with the backend's log",
    )


def is_no_memory(error: BaseException | None) -> bool:
    """True where an error, or one that it came of, is a lack of memory."""
    seen: set[int] = set()  # an error may be raised from itself
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError) or getattr(error, "errno", 0) == errno.ENOMEM:
            return True
        if any(words in str(error) for words in _NO_MEMORY):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


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
