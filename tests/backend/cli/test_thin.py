"""The thin commands: what they may import, and what they say when no daemon runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from backend.models.registry import MODELS

HEAVY = ("numpy", "cv2", "scipy", "PIL", "torch", "rich", "tifffile")


@pytest.mark.parametrize(
    "module",
    [f"backend.cli{name}" for name in ("", ".colorize", ".batch", ".animate", ".service")],
)
def test_no_command_of_the_client_imports_heavy_libraries(module):
    code = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_parsing_does_not_import_the_client():
    code = (
        "import sys; from backend.cli.parser import parse; parse(['status']); "
        "print([m for m in ('zmq', 'msgpack', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_status_and_stop_without_a_daemon(nuri):
    status = nuri("status")
    assert (status.code, status.out) == (1, "")
    assert "not running" in status.err
    assert status.err.count("\n") == 1
    assert nuri("status", "--json").json() == [{"running": False}]
    stop = nuri("stop")
    assert (stop.code, stop.out, stop.err) == (0, "no daemon is running\n", "")


def test_models(nuri):
    (answer,) = nuri("models", "--json").json()
    assert [model["id"] for model in answer["models"]] == list(MODELS)
    assert nuri("models").out.startswith(next(iter(MODELS)))


def test_version_and_help(nuri):
    assert nuri("--version").out.startswith("nuri 0.")
    for command in (
        "colorize",
        "batch",
        "animate",
        "grey",
        "lines",
        "serve",
        "status",
        "stop",
        "models",
        "doctor",
    ):
        shown = nuri(command, "--help")
        assert shown.code == 0
        assert f"nuri {command}" in shown.out


@pytest.mark.parametrize("command", ["colorize", "batch", "serve"])
def test_help_offers_nothing_that_is_always_refused(nuri, command):
    shown = " ".join(nuri(command, "--help").out.split())
    assert "--size" not in shown and "cuda" not in shown
    assert "auto or cpu; no network here computes on a GPU yet" in shown


def test_output_to_a_closed_pipe(nuri):
    command = " ".join([*nuri.command("models", "--json"), "| true"])
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_doctor_answers_in_json(nuri):
    done = nuri("doctor", "--json")
    assert done.code in (0, 1)
    assert json.loads(done.out)
