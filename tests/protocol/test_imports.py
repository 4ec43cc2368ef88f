"""What the client loads: it starts in every thin command and inside Krita."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "cv2", "scipy", "torch", "PIL", "backend", "asyncio", "logging", "hashlib"}


def run(code: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_loads_nothing_heavy() -> None:
    loaded = run("import sys, protocol.client; print(' '.join(sys.modules))").split()
    before = run("import sys; print(' '.join(sys.modules))").split()
    assert not (HEAVY & set(loaded)) - set(before)


@pytest.mark.parametrize(
    "module", ["connection", "launch", "errors", "pixels", "messages", "version", "lock"]
)
def test_what_needs_no_package_of_others(module: str) -> None:
    """install.py and a Krita without wheels use these."""
    loaded = run(f"import sys, protocol.{module}; print(' '.join(sys.modules))").split()
    assert not {"zmq", "msgpack"} & set(loaded)


def test_pure_python_msgpack_serves_as_well() -> None:
    code = (
        "import msgpack, tempfile\n"
        "assert 'fallback' in msgpack.Unpacker.__module__, msgpack.Unpacker.__module__\n"
        "import pytest, sys\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-k', 'not pure',"
        " 'tests/protocol/test_wire.py', 'tests/protocol/test_hostile.py']))"
    )
    assert "passed" in run(code, MSGPACK_PUREPYTHON="1")


def test_the_protocol_works_when_it_is_copied_elsewhere(tmp_path: Path) -> None:
    """The plugin carries a copy, so nothing may depend on the name of the outer folder."""
    shutil.copytree(ROOT / "protocol", tmp_path / "vendored" / "wire_room")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'vendored')!r})\n"
        "import wire_room.client, wire_room.launch, wire_room.security\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'protocol'])"
    )
    assert run(code).strip() == "[]"
