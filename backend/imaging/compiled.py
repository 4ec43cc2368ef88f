"""Functions compiled by Numba, whose machine code is kept on disk where it can be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

_Function = TypeVar("_Function", bound=Callable[..., Any])
_logger = logging.getLogger("nuri.imaging")


def compiled(function: _Function) -> _Function:
    """`numba.njit(cache=True)` that also works where nothing can be kept, as on a full disk.

    It is compiled at every start then, and the log says so once.
    """
    dispatcher = numba.njit(function)
    try:
        # Numba's own cache would make every write that fails a failure of the first call.
        dispatcher._cache = _Kept(function)
    except RuntimeError:
        _tell("there is no folder for it that can be written")
    return dispatcher


class _Kept(FunctionCache):
    """What cannot be read counts as not there, and what cannot be written is left."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except OSError as error:
            _tell(error.strerror)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _tell(error.strerror)


@cache
def _tell(reason: str | None) -> None:
    _logger.info("machine code cannot be kept and is compiled at every start: %s", reason)
