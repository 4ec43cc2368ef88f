"""`nuri`: every command a few lines over the client or a task.

Kept thin: nothing but the parser is imported until a command is chosen, and no command that only
talks to the daemon imports NumPy or OpenCV.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns 0 done, 1 the job failed, 2 wrong usage.

    Every failure is one line on standard error that says what to do. After Ctrl-C, SIGTERM or
    SIGHUP the process ends by the signal itself, as shells expect.
    """
    from protocol.errors import NuriError, one_line

    from .interrupt import end_by_signal, orderly_end
    from .parser import UsageError, parse

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called us: then nobody wants to hear
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if isinstance(sys.stdout, TextIOWrapper):  # file names may be no text in this terminal's code
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with orderly_end():
            options = parse(arguments)
            code: int = options.run(options)
            sys.stdout.flush()
            return code
    except UsageError as error:
        message = str(error)
        _complain(one_line(message, len(message)))
        return WRONG_USAGE
    except NuriError as error:
        from .report import report_error

        report_error(error, as_json=getattr(options, "json", False))
        return FAILED
    except OSError as error:
        # The reader of our output may have gone away, as `head` does; that is no news.
        if not isinstance(error, BrokenPipeError):
            _complain(_of_system(error))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _complain("cancelled")
        return end_by_signal()
    except Exception as error:  # a fault of ours is told in one line too
        if os.environ.get("NURI_DEBUG"):
            raise
        from backend.imaging.refusal import is_no_memory

        if is_no_memory(error):
            _complain("there is not enough memory (close other programs or use a smaller picture)")
            return FAILED
        _complain(f"internal error: {error!r} (run again with NURI_DEBUG=1 and report it)")
        return FAILED


def _of_system(error: OSError) -> str:
    """What the system refused; without the name of a file it is what we print."""
    reason = error.strerror or str(error)
    if error.errno == errno.ENOMEM:
        return f"{reason} (close other programs)"
    if error.filename is None:
        return f"the output cannot be written: {reason} (send it elsewhere)"
    return f"{os.fsdecode(error.filename)}: {reason} (check its name and who may use it)"


def _complain(message: str) -> None:
    with suppress(OSError):  # a terminal that was closed under us
        sys.stderr.write(f"nuri: {message}\n")
