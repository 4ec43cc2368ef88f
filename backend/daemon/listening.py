"""Serving other machines: keys that stay, and the connection file to carry over there."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
from pathlib import Path

from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.private_files import write_atomic
from protocol.security import KEY_LENGTH, CurveKeys, generate_keys

from .endpoints import Listen

KEYS_NAME = "listen-keys.json"
REMOTE_NAME = "remote-connection.json"


def load_or_make_keys(folder: Path) -> tuple[CurveKeys, CurveKeys]:
    """(server, client) keys of the remote endpoint; made once, so that copies stay valid.

    Raises `NuriError` unauthenticated when others can read the file, or it is damaged.
    """
    path = folder / KEYS_NAME
    if not path.exists():
        pair = (generate_keys(), generate_keys())
        table = {"server": dataclasses.asdict(pair[0]), "client": dataclasses.asdict(pair[1])}
        write_atomic(path, json.dumps(table, indent=1).encode())
        return pair
    status = path.lstat()
    is_ours = sys.platform == "win32" or (
        status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077 == 0
    )
    if not stat.S_ISREG(status.st_mode) or not is_ours:
        raise _refused(path, "others can reach it")
    try:
        table = json.loads(path.read_bytes())
        server, client = (
            CurveKeys(str(table[name]["public"]), str(table[name]["secret"]))
            for name in ("server", "client")
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise _refused(path, "it is damaged") from None
    texts = (server.public, server.secret, client.public, client.secret)
    if any(len(text) != KEY_LENGTH for text in texts):
        raise _refused(path, "it is damaged")
    return server, client


def write_remote_file(
    folder: Path, listen: Listen, version: str, server: CurveKeys, client: CurveKeys
) -> Path:
    """The connection file for other machines (`NURI_CONNECTION` there); returns its path."""
    here = ConnectionFile.of_this_process(version, "ipc://", "ipc://", None, None)
    work, control = listen.reachable(here.host)
    path = folder / REMOTE_NAME
    there = ConnectionFile.of_this_process(version, work, control, server, client, remote=True)
    there.write(path)
    return path


def _refused(path: Path, reason: str) -> NuriError:
    return NuriError(
        ErrorCode.unauthenticated,
        f"The keys in {path} are refused: {reason}",
        f"Delete {path}; new keys are made, and the other machines need the new {REMOTE_NAME}",
    )
