"""The command line of `nuri-train`.

Kept thin: nothing but the parser is imported until a command is chosen. Exit codes: 0 done, 1 it
failed (one line on standard error says why and what to do), 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from training.errors import TrainingError
from training.files import refused
from training.parser import UsageError, build_parser

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns 0 done, 1 failed, 2 wrong usage."""
    if isinstance(sys.stdout, TextIOWrapper):  # file names may be no text in this terminal's code
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = build_parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UsageError as error:
        _complain(str(error))
        return WRONG_USAGE
    except TrainingError as error:
        _complain(str(error))
        return FAILED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _complain("cancelled")
        return FAILED
    except OSError as error:
        if os.environ.get("NURI_DEBUG"):
            raise
        _complain(str(refused(error)))
        return FAILED
    except Exception as error:
        if os.environ.get("NURI_DEBUG"):
            raise
        _complain(f"internal error: {error!r} (run again with NURI_DEBUG=1 and report it)")
        return FAILED


def _complain(message: str) -> None:
    sys.stderr.write(f"nuri-train: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
