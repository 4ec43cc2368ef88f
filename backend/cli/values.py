"""What the words of a command line may be; argparse tells the errors in one line."""

from __future__ import annotations

import argparse
from pathlib import Path

_MOST_FRAMES_PER_SECOND = 1000  # films count time in milliseconds


def path(text: str) -> Path:
    """A name of a file or folder, and no slip of a script."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    if text == "-":
        raise argparse.ArgumentTypeError("- is no file (use /dev/stdin or /dev/stdout for pipes)")
    return Path(text)


def rate(text: str) -> int:
    """Frames a second."""
    number = _whole(text)
    if not 1 <= number <= _MOST_FRAMES_PER_SECOND:
        raise argparse.ArgumentTypeError(
            f"{text} is not a whole number from 1 to {_MOST_FRAMES_PER_SECOND}"
        )
    return number


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return number


def _whole(text: str) -> int:
    """The whole number that is written in digits; 0 for any other text."""
    try:
        return int(text) if text.isdecimal() else 0
    except ValueError:  # Python reads no thousands of digits
        return 0
