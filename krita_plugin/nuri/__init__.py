"""Nuri in Krita. Never raises while Krita loads it: Krita would drop the plugin without a word."""

from __future__ import annotations

import traceback

from . import broken, vendored


def _start() -> None:
    reason = vendored.load()
    if reason:
        broken.register(reason, vendored.REMEDY)
        return
    try:
        from .extension import register

        register()
    except Exception as error:  # noqa: BLE001 - see above; the docker shows it
        broken.register(f"Nuri cannot start: {error}", vendored.REMEDY, traceback.format_exc())


_start()
