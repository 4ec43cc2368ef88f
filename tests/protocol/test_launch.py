"""Starting the backend from a host program, with real processes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from protocol import launch
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.folders import record_path
from protocol.processes import start_token

ROOT = Path(__file__).resolve().parents[2]
ENTER = (
    f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); os.chdir({str(ROOT)!r})\n"
    "sys.argv[1:] = []\n"
)
RUN_ECHO = (
    ENTER + "import runpy; runpy.run_module('tests.protocol.echo_daemon', run_name='__main__')"
)


def command(home: Path, code: str) -> list[str]:
    """A command that stands for `nuri`; it is given `serve --auto` and runs ``code``."""
    script = home / "backend.py"
    script.write_text(code, encoding="utf-8")
    return [sys.executable, str(script)]


def stop() -> None:
    with Client.connect() as client:
        client.shutdown()


def test_start_and_connect(home: Path) -> None:
    launch.start_daemon(command(home, RUN_ECHO), timeout=60)
    assert launch.daemon_is_ready()
    stop()


def test_connect_starts_what_the_record_names(home: Path) -> None:
    launch.write_record(command(home, RUN_ECHO), "0.1")
    assert json.loads(record_path().read_bytes())["version"] == "0.1"
    with Client.connect(start=True) as client:
        assert client.ready
        assert client.welcome is not None
        assert client.welcome.version == "9.9"
        client.shutdown()


@pytest.mark.skipif(sys.platform == "win32", reason="a script that is a program")
def test_relative_names_count_from_the_folder_of_who_starts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon gets another folder to work in, its log's."""
    nuri = home / "bin" / "nuri"
    nuri.parent.mkdir()
    code = RUN_ECHO.replace(f"os.chdir({str(ROOT)!r})", "")
    nuri.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    nuri.chmod(0o700)
    monkeypatch.chdir(home)
    places = {"NURI_CONNECTION": "run/here.json", "NURI_STATE": "state", "NURI_BACKEND": "bin/nuri"}
    for name, place in places.items():
        monkeypatch.setenv(name, place)
    with Client.connect(start=True, timeout=60) as client:
        assert client.connection == ConnectionFile.read(home / "run" / "here.json")
        client.shutdown()
    assert [path.name for path in (home / "state").iterdir()] == [launch.START_LOG_NAME]


def test_what_is_started_gets_absolute_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    places = {
        "NURI_CONNECTION": "run/here.json",
        "NURI_STATE": "kept",
        "NURI_STYLES": "taught",
        "NURI_WEIGHTS": "../weights",
    }
    for name, place in places.items():
        monkeypatch.setenv(name, place)
    report = home / "places.json"
    code = (
        "import json, os, pathlib\n"
        f"places = {{name: os.environ.get(name) for name in {list(places)!r}}}\n"
        f"pathlib.Path({str(report)!r}).write_text(json.dumps(places))\n"
    )
    assert launch.begin_daemon(command(home, code)).wait(60) == 0
    here = Path.cwd()
    found = json.loads(report.read_bytes())
    assert found == {name: str(here / place) for name, place in places.items()}
    monkeypatch.delenv("NURI_STYLES")
    monkeypatch.setenv("NURI_WEIGHTS", "")
    assert launch.begin_daemon(command(home, code)).wait(60) == 0
    found = json.loads(report.read_bytes())
    assert not found["NURI_STYLES"] and not found["NURI_WEIGHTS"]


def test_a_file_that_is_stale_or_broken_does_not_keep_it_from_starting(home: Path) -> None:
    launch.write_record(command(home, RUN_ECHO), "0.1")
    (home / "connection.json").write_bytes(b"{")
    (home / "connection.json").chmod(0o600)
    Client.connect(start=True).close()
    stop()


def test_a_daemon_that_dies_under_the_greeting_is_replaced(home: Path) -> None:
    """Its sockets are closed while its process still counts as alive, as when it is killed."""
    dying = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    gone = f"ipc://{home / 'gone.sock'}"
    token = start_token(dying.pid)
    published = ConnectionFile.of_this_process("9.9", gone, gone, None, None)
    dataclasses.replace(published, pid=dying.pid, started=token).write()
    death = threading.Timer(0.3, dying.kill)
    death.start()
    with Client.connect(start=True, command=command(home, RUN_ECHO), timeout=20) as client:
        assert client.ready
        assert client.connection.pid != dying.pid
        client.shutdown()
    death.join()
    dying.wait()


def test_a_daemon_that_starts_slowly_gets_the_time_of_its_caller(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "START_SECONDS", 0.01)
    with Client.connect(start=True, command=command(home, RUN_ECHO), timeout=60) as client:
        client.shutdown()


def test_begin_does_not_wait(home: Path) -> None:
    process = launch.begin_daemon(command(home, "import time; time.sleep(60)"))
    assert process.poll() is None
    assert not launch.daemon_is_ready()
    process.kill()
    process.wait()


def test_a_backend_that_fails_is_quoted(home: Path) -> None:
    code = "import sys; print('line one'); sys.exit('No module named numpy')"
    with pytest.raises(NuriError, match="code 1: No module named numpy") as caught:
        launch.start_daemon(command(home, code), timeout=60)
    assert caught.value.code is ErrorCode.unreachable
    assert "line one" in caught.value.info.detail
    assert "nuri doctor" in caught.value.info.action


def test_a_backend_that_never_gets_ready_is_given_up(home: Path) -> None:
    code = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(home / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    with pytest.raises(NuriError, match="too long"):
        launch.start_daemon(command(home, code), timeout=1)
    # It may only get going after it was given up.
    while not (home / "pid").exists() or not (home / "pid").read_text():
        time.sleep(0.02)
    os.kill(int((home / "pid").read_text()), signal.SIGTERM)


def test_a_leaving_daemon_does_not_keep_the_next_from_starting(home: Path) -> None:
    """The first process meets the lock of another daemon and leaves with 0; the second serves."""
    flag = str(home / "second")
    code = ENTER + (f"if not os.path.exists({flag!r}): open({flag!r}, 'w').close(); sys.exit(0)\n")
    launch.start_daemon(command(home, code + RUN_ECHO), timeout=60)
    stop()


def test_somebody_elses_daemon_serves_too(home: Path) -> None:
    launch.write_record(command(home, RUN_ECHO), "0.1")
    others = threading.Timer(0.3, launch.start_daemon, kwargs={"timeout": 60})
    others.start()
    code = "import time; time.sleep(0.1)"
    launch.start_daemon([sys.executable, "-c", code], timeout=60)
    others.join()
    stop()


def test_no_backend_installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NuriError, match="not installed") as caught:
        Client.connect(start=True)
    assert caught.value.code is ErrorCode.not_found
    assert "install.py" in caught.value.info.action
    monkeypatch.setenv("NURI_BACKEND", str(home / "gone" / "nuri"))
    with pytest.raises(NuriError, match="gone"):
        launch.backend_command()
    monkeypatch.setenv("NURI_BACKEND", sys.executable)
    assert launch.backend_command() == [sys.executable]
    monkeypatch.chdir(Path(sys.executable).parent)
    monkeypatch.setenv("NURI_BACKEND", Path(sys.executable).name)
    assert launch.backend_command() == [sys.executable]


def test_the_training_command_lies_beside_the_backend(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    nuri = home / "nuri.exe"
    nuri.touch()
    monkeypatch.setenv("NURI_BACKEND", str(nuri))
    with pytest.raises(NuriError, match="nuri-train") as caught:
        launch.training_command()
    assert "install.py training" in caught.value.info.action
    nuri.with_name("nuri-train.exe").touch()
    assert launch.training_command() == [str(home / "nuri-train.exe")]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"command": []}', '{"command": [1]}', "\0"])
def test_a_broken_record_is_named(home: Path, record: str) -> None:
    record_path().parent.mkdir(parents=True)
    record_path().write_text(record, encoding="utf-8")
    with pytest.raises(NuriError, match=r"backend\.json") as caught:
        launch.backend_command()
    assert caught.value.code is ErrorCode.not_found


def test_a_command_that_cannot_run_is_named(home: Path) -> None:
    with pytest.raises(NuriError, match="no-such") as caught:
        launch.begin_daemon([str(home / "no-such")])
    assert caught.value.code is ErrorCode.not_found


def test_a_log_that_cannot_be_written_is_named(home: Path) -> None:
    log = home / "state" / launch.START_LOG_NAME
    log.mkdir(parents=True)
    with pytest.raises(NuriError, match=f"Cannot write {log}: Is a directory") as caught:
        launch.begin_daemon(command(home, RUN_ECHO))
    assert caught.value.code is ErrorCode.bad_input


def test_the_environment_of_the_host_stays_behind(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = ["PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH"]
    foreign += ["VIRTUAL_ENV", "DYLD_LIBRARY_PATH", "QML2_IMPORT_PATH", "APPDIR"]
    for name in foreign:
        monkeypatch.setenv(name, str(home / "host"))
    report = home / "environment.json"
    code = (
        "import json, os, pathlib, sys\n"
        "facts = {'names': sorted(os.environ), 'arguments': sys.argv[1:],"
        " 'session': os.getsid(0) == os.getpid() if hasattr(os, 'getsid') else True}\n"
        f"pathlib.Path({str(report)!r}).write_text(json.dumps(facts))\n"
    )
    process = launch.begin_daemon(command(home, code))
    assert process.wait(60) == 0
    facts = json.loads(report.read_text(encoding="utf-8"))
    assert not set(foreign) & set(facts["names"])
    assert {"PATH", "NURI_CONNECTION", "NURI_STATE"} <= set(facts["names"])
    assert facts["arguments"] == ["serve", "--auto"]
    assert facts["session"]


def test_the_daemon_outlives_who_started_it(home: Path) -> None:
    launch.write_record(command(home, RUN_ECHO), "0.1")
    code = "from protocol.client import Client; Client.connect(start=True).close()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert not ConnectionFile.read().is_stale()
    stop()
    give_up = time.monotonic() + 60
    while launch.daemon_is_ready():
        assert time.monotonic() < give_up
        time.sleep(0.02)
