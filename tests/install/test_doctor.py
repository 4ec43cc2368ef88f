from __future__ import annotations

import json
from pathlib import Path

from backend.setup import project
from backend.setup.doctor import FAILED, OK, WARNING

from .conftest import Home


def examine(home: Home, **variables: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = home.install("doctor", "--json", "--prefix", home.environment.prefix, **variables)
    table = json.loads(done.stdout)
    assert table["version"] == project.version()
    return done.returncode, {check["name"]: check for check in table["checks"]}


def test_a_sound_installation(made: Home) -> None:
    code, checks = examine(made)
    assert code == 0, checks
    for name in ("environment", "libraries", "backend record", "daemon"):
        assert checks[name]["state"] == OK, checks[name]
    assert "numpy" in checks["libraries"]["message"]
    assert project.version() in checks["daemon"]["message"]
    assert checks["trained weights"]["state"] in (OK, WARNING)
    # No PyTorch was asked for: said, with the remedy, but nothing fails for it.
    assert checks["device"]["state"] == WARNING
    assert "install.py demo" in checks["device"]["action"]


def test_the_nuri_command_gives_the_same(made: Home) -> None:
    done = made.run(made.environment.nuri, "doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["environment"]["message"] == str(made.environment.prefix)


def test_nothing_is_installed(home: Home) -> None:
    code, checks = examine(home)
    assert code == 1
    assert checks["environment"]["state"] == FAILED
    assert checks["backend record"]["state"] == FAILED
    for check in checks.values():
        assert check["state"] == OK or check["action"], check


def test_a_plugin_of_another_version(made: Home) -> None:
    resources = made.path / ".local/share/krita"
    (resources / "pykrita/nuri").mkdir(parents=True)
    (resources / "pykrita/nuri.desktop").touch()
    manifest = resources / "pykrita/nuri/installed.json"
    try:
        manifest.write_text(json.dumps({"version": "0.0.1", "files": []}))
        code, checks = examine(made)
        assert code == 1
        assert "0.0.1" in checks["plugin"]["message"]
        assert "install.py plugin" in checks["plugin"]["action"]
        manifest.write_text(json.dumps({"version": project.version(), "files": []}))
        code, checks = examine(made)
        assert code == 1
        assert "not enabled" in checks["plugin"]["message"]
    finally:
        manifest.unlink()
        (resources / "pykrita/nuri.desktop").unlink()


def test_a_daemon_that_does_not_start(made: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, checks = examine(made, NURI_CONNECTION=str(tmp_path / "file" / "connection.json"))
    assert code == 1
    assert checks["daemon"]["state"] == FAILED
    assert checks["daemon"]["action"]
