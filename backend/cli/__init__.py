"""`nuri`: every command a few lines over the client or a task.

Kept thin: nothing but the parser is imported until a command is chosen, and no command that only
talks to the daemon imports NumPy or OpenCV.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns 0 done, 1 the job failed, 2 wrong usage.

    Every failure is one line on standard error that says what to do. After Ctrl-C the process
    ends by the signal itself, as shells expect.
    """
    from protocol.errors import NuriError

    from .parser import UsageError, parse

    if isinstance(sys.stdout, TextIOWrapper):  # file names may be no text in this terminal's code
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = parse(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UsageError as error:
        _complain(str(error))
        return WRONG_USAGE
    except NuriError as error:
        from .report import report_error

        report_error(error, as_json=getattr(options, "json", False))
        return FAILED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _complain("cancelled")
        from .interrupt import end_by_signal

        return end_by_signal()
    except Exception as error:  # a fault of ours is told in one line too
        if os.environ.get("NURI_DEBUG"):
            raise
        _complain(f"internal error: {error!r} (run again with NURI_DEBUG=1 and report it)")
        return FAILED


def _complain(message: str) -> None:
    sys.stderr.write(f"nuri: {message}\n")
