"""Looks at everything Nuri needs and says, line by line, what is well and what to do."""

from __future__ import annotations

import json as json_format
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.folders import state_folder
from protocol.launch import backend_command
from protocol.version import PROTOCOL_VERSION

from . import interpreter, kritarc, plugin, project, torch_build
from . import krita as kritas
from .environment import DEFAULT_PREFIX, MARKER_NAME, Environment

OK, WARNING, FAILED = "ok", "warning", "FAILED"
_LOW_SPACE, _NO_SPACE = 2e9, 2e8
_SECONDS, _DAEMON_SECONDS = 60, 90  # in which a question has to be answered
_REPAIR = "Run in Nuri's folder: python3 install.py demo"
_LIBRARIES = ("numpy", "opencv-python-headless", "scipy", "pillow", "pyzmq", "msgpack", "rich")
_WEIGHTS = (
    "import json; from backend.weights import store; "
    "print(json.dumps([store.installed(), store.flaws()]))"
)
_VERSIONS = (
    "import json, platform, sys; from importlib.metadata import version; "
    "print(json.dumps([platform.python_version(), {n: version(n) for n in sys.argv[1:]}]))"
)


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, how it stands, and the remedy if it does not stand well."""

    name: str
    state: str
    message: str
    action: str = ""


def main(json: bool = False, prefix: Path | None = None) -> int:
    """Prints all checks; 0 when none failed (warnings do not count), else 1."""
    if prefix is None:
        here = Path(sys.prefix)
        prefix = here if (here / MARKER_NAME).is_file() else DEFAULT_PREFIX
    checks = []
    if not json:
        print(f"Nuri {project.version()}, protocol {PROTOCOL_VERSION}, {platform.platform()}")
    for check in examine(Environment(prefix)):
        checks.append(check)
        if not json:
            print(f"{check.state:>8}  {check.name}: {check.message}", flush=True)
            if check.action:
                print(f"{'':>8}  -> {check.action}", flush=True)
    failed = [check for check in checks if check.state == FAILED]
    if json:
        table = {
            "version": project.version(),
            "protocol": PROTOCOL_VERSION,
            "system": platform.platform(),
            "well": not failed,
            "checks": [asdict(check) for check in checks],
        }
        print(json_format.dumps(table, indent=1))
    elif failed:
        print(f"{len(failed)} of {len(checks)} checks failed.")
    return 1 if failed else 0


def examine(environment: Environment) -> Iterator[Check]:
    """Every check, one after the other; none of them changes anything."""
    there = _environment(environment)
    yield there
    if there.state != FAILED:
        for name, look in (
            ("libraries", _libraries),
            ("device", _device),
            ("trained weights", _weights),
        ):
            yield _guarded(name, look, environment)
    yield from _krita()
    yield _guarded("backend record", _record, environment)
    if there.state != FAILED:
        yield _guarded("daemon", _daemon, environment)
    yield _disk("disk of the environment", environment.prefix)
    yield _disk("disk of logs and results", state_folder())


def _guarded(name: str, look: Callable[[Environment], Check], environment: Environment) -> Check:
    try:
        return look(environment)
    except NuriError as error:
        return Check(name, FAILED, error.info.message, error.info.action)


def _environment(environment: Environment) -> Check:
    if flaw := environment.flaw():
        return Check("environment", FAILED, flaw, _REPAIR)
    return Check("environment", OK, str(environment.prefix))


def _libraries(environment: Environment) -> Check:
    question = "-I", "-c", _VERSIONS, *_LIBRARIES
    answer = interpreter.ask(environment.python, *question, seconds=_SECONDS, remedy=_REPAIR)
    python, versions = json_format.loads(answer)
    listing = ", ".join(f"{library} {version}" for library, version in versions.items())
    return Check("libraries", OK, f"Python {python}, {listing}")


def _device(environment: Environment) -> Check:
    try:
        test = torch_build.self_test(environment.python)
    except NuriError as error:
        # Flats from hints need no PyTorch, so its absence is no failure.
        return Check("device", WARNING, error.info.message, error.info.action)
    if not test.right:
        return Check("device", FAILED, f"{test}: a wrong result", f"{_REPAIR} --cpu")
    if test.device == "cpu" and torch_build.has_nvidia_gpu():
        action = "Update NVIDIA's driver, delete the environment, run: python3 install.py demo"
        return Check("device", WARNING, f"{test}, though there is an NVIDIA GPU", action)
    return Check("device", OK, str(test))


def _weights(environment: Environment) -> Check:
    name, action = "trained weights", "Get Nuri's folder backend/weights again, complete"
    question = "-I", "-c", _WEIGHTS
    answer = interpreter.ask(environment.python, *question, seconds=_SECONDS, remedy=action)
    there, flaws = json_format.loads(answer)
    if flaws:
        return Check(name, FAILED, "; ".join(flaws), action)
    if not there:
        return Check(name, WARNING, "none are there; flats from hints need none", action)
    return Check(name, OK, ", ".join(there))


def _krita() -> Iterator[Check]:
    found = [krita for krita in kritas.find() if krita.found]
    if not found:
        action = "Install Krita 5.1 or newer, or say where it is: install.py plugin --krita-dir"
        yield Check("Krita", WARNING, "none was found", action)
    for krita in found:
        number = kritas.version(krita) or "of unknown version"
        yield Check("Krita", OK, f"{krita.kind} {number}, resources in {krita.resources}")
        yield _plugin(krita)
        if krita.is_sandboxed:
            yield Check(
                "sandbox",
                WARNING,
                f"Krita from {krita.kind} cannot start the backend by itself",
                "Start it in a terminal: nuri serve (see docs/install.md)",
            )


def _plugin(krita: kritas.Krita) -> Check:
    name, version = "plugin", plugin.installed_version(krita)
    repair = "Run in Nuri's folder: python3 install.py plugin - then restart Krita"
    if version is None:
        return Check(name, WARNING, "not installed in this Krita", repair)
    if version != project.version():
        message = f"version {version or 'unknown'}, but the backend is {project.version()}"
        return Check(name, FAILED, message, repair)
    if not kritarc.is_enabled(krita.settings):
        action = "Krita: Settings > Configure Krita > Python Plugin Manager > Nuri, then restart"
        return Check(name, FAILED, f"version {version}, but not enabled", action)
    return Check(name, OK, f"version {version}, enabled")


def _record(environment: Environment) -> Check:
    command = backend_command()
    if Path(command[0]) != environment.nuri:
        message = f"Krita and scripts use another backend: {command[0]}"
        return Check("backend record", WARNING, message, _REPAIR)
    return Check("backend record", OK, command[0])


def _daemon(environment: Environment) -> Check:
    question = "-I", "-m", "backend.setup.handshake"
    try:
        said = interpreter.ask(
            environment.python, *question, seconds=_DAEMON_SECONDS, remedy=_REPAIR
        )
    except NuriError as error:
        if error.code is not ErrorCode.deadline:
            raise
        return Check("daemon", FAILED, error.info.message, "Run: nuri stop - then this again")
    answer = json_format.loads(said)
    if problem := answer.get("error"):
        return Check("daemon", FAILED, problem["message"], problem["action"])
    if answer["version"] != project.version():
        message = f"version {answer['version']} runs, but this is {project.version()}"
        return Check("daemon", FAILED, message, "Run: nuri stop - the next use starts the new one")
    how = "started for this check" if answer["started"] else "running"
    facts = [how, f"version {answer['version']}", f"protocol {answer['protocol']}"]
    facts += [answer["device"]] if answer["device"] else []
    facts += [f"answered in {answer['seconds']:.2f} s", f"log {answer['log_file']}"]
    return Check("daemon", OK, ", ".join(facts))


def _disk(name: str, place: Path) -> Check:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    message = f"{free / 1e9:.1f} GB free at {place}"
    if free < _NO_SPACE:
        return Check(name, FAILED, message, "Free some space")
    if free < _LOW_SPACE:
        return Check(name, WARNING, message, "Free some space")
    return Check(name, OK, message)
