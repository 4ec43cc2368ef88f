"""The command line of install.py: every command a few lines over the helpers beside it."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.launch import write_record

from . import checks, console, demo, doctor, plugin, project, wheels
from . import krita as kritas
from .environment import DEFAULT_PREFIX, Environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command, or says which there are; 0 done, 1 failed with one line on standard error,
    2 wrong usage."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command is None:
        parser.print_help()
        return 0
    options.pytest = rest
    try:
        return int(options.run(options))
    except NuriError as error:
        console.complain(error)
    except OSError as error:
        console.complain(_of_system(error))
    except KeyboardInterrupt:
        print("\ninstall.py: interrupted -> Run the same again: it goes on", file=sys.stderr)
        return 130
    return 1


def _demo(options: argparse.Namespace) -> int:
    environment = _environment(options)
    sheet = demo.run(environment, options.output.absolute())
    console.say(f"\nThe coloured drawings are in {sheet.parent}")
    console.say(f"Look at {sheet} first.")
    console.say("For Krita: python3 install.py plugin")
    return 0


def _test(options: argparse.Namespace) -> int:
    packages = checks.install_system_packages()
    environment = _environment(options, ["test"], training=True)
    failed = [] if packages else ["system packages"]
    failed += checks.lint(environment)
    console.say(f"Before the tests: {'FAILED: ' + ', '.join(failed) if failed else 'all well'}.")
    code = checks.pytest(environment, options.pytest)
    return code or (1 if failed else 0)


def _plugin(options: argparse.Namespace) -> int:
    if options.uninstall:
        if options.krita_dir:
            _check_resources(options.krita_dir)
        for krita in _kritas(options):
            _uninstall(krita)
        return 0
    environment = _environment(options)
    if options.zip:
        names = list(wheels.PLATFORMS) if options.all_platforms else [wheels.platform_name()]
        plugin.pack(environment.python, options.zip, names)
        console.say(
            f"Wrote {options.zip}: Krita > Tools > Scripts > Import Python Plugin from File"
        )
        return 0
    for krita in _kritas(options):
        notes = plugin.install(environment.python, krita)
        console.say(f"Installed and enabled in {krita.kind} Krita: {krita.plugins}")
        for note in notes:
            console.say(f"  {note}")
        if krita.is_sandboxed:
            console.say(
                f"  Krita from {krita.kind} cannot start the backend itself; in a terminal:"
                f" {environment.nuri} serve (see docs/install.md)"
            )
    restart = "Restart Krita" if kritas.is_running() else "Start Krita"
    console.say(f"{restart}, then: Settings > Dockers > Nuri, or Tools > Scripts > Nuri")
    return 0


def _check_resources(folder: Path) -> None:
    if not folder.expanduser().is_dir():
        raise NuriError(
            ErrorCode.not_found,
            f"There is no folder {folder}",
            "Name the one that Krita opens with Settings > Manage Resources > Open Resource "
            "Folder: --krita-dir FOLDER",
        )


def _uninstall(krita: kritas.Krita) -> None:
    was_there, left = plugin.uninstall(krita)
    if was_there:
        console.say(f"Removed from {krita.resources}")
    elif left:
        console.say(f"Disabled, but not removed from {krita.resources}")
    else:
        console.say(f"There is no Nuri in {krita.resources}")
    for path in left:
        console.say(f"  left there, because Nuri did not put it there: {path}")


def _doctor(options: argparse.Namespace) -> int:
    return doctor.main(options.json, options.prefix)


def _training(options: argparse.Namespace) -> int:
    environment = _environment(options, training=True)
    console.say(f"Ready: {environment.nuri.with_name('nuri-train')} --help")
    return 0


def _environment(
    options: argparse.Namespace, extras: Sequence[str] = (), training: bool = False
) -> Environment:
    """The environment, ready to use and on record for Krita and scripts."""
    environment = Environment(options.prefix)
    models = not options.no_models
    environment.ensure(extras, models=models, cpu=options.cpu, training=training)
    write_record([str(environment.nuri)], project.version())
    return environment


def _kritas(options: argparse.Namespace) -> list[kritas.Krita]:
    if options.krita_dir:
        return [kritas.at(options.krita_dir, options.kritarc)]
    found = [krita for krita in kritas.find() if krita.found]
    if not found:
        raise NuriError(
            ErrorCode.not_found,
            "No Krita was found for this user",
            "Start Krita once, or name its resource folder (Krita: Settings > Manage Resources > "
            "Open Resource Folder): install.py plugin --krita-dir FOLDER",
        )
    return found


def _of_system(error: OSError) -> NuriError:
    if error.errno == errno.ENOSPC:
        return NuriError(ErrorCode.disk_full, "The disk is full", "Free some space, run this again")
    return NuriError(
        ErrorCode.bad_input,
        f"{error.filename or 'The system'}: {error.strerror or error}",
        "Make it readable and writable for you, then run this again",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py",
        description=f"Sets up Nuri {project.version()} for you alone.",
        epilog="Begin with: python3 install.py demo - then: python3 install.py plugin",
    )
    places = argparse.ArgumentParser(add_help=False)
    places.add_argument(
        "--prefix",
        type=Path,
        default=DEFAULT_PREFIX,
        metavar="FOLDER",
        help="where the private environment lies (default: .venv here)",
    )
    making = argparse.ArgumentParser(add_help=False, parents=[places])
    making.add_argument("--cpu", action="store_true", help="compute on the CPU even with a GPU")
    making.add_argument("--no-models", action="store_true", help="leave PyTorch out")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    command = commands.add_parser(
        "demo", parents=[making], help="install the backend and colour the example drawings"
    )
    command.add_argument(
        "--output",
        type=Path,
        default=demo.DEFAULT_OUTPUT,
        metavar="FOLDER",
        help="for the pictures",
    )
    command.set_defaults(run=_demo)

    command = commands.add_parser("plugin", parents=[making], help="put the plugin into Krita")
    command.add_argument("--krita-dir", type=Path, metavar="FOLDER", help="Krita's resource folder")
    command.add_argument("--kritarc", type=Path, metavar="FILE", help="Krita's settings file")
    command.add_argument("--uninstall", action="store_true", help="take the plugin out again")
    command.add_argument("--zip", type=Path, metavar="FILE", help="make a file for Krita to import")
    command.add_argument(
        "--all-platforms", action="store_true", help="with --zip: for Windows and macOS as well"
    )
    command.set_defaults(run=_plugin)

    command = commands.add_parser("doctor", parents=[places], help="say what is well and what not")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_doctor)

    command = commands.add_parser(
        "training", parents=[making], help="install what nuri-train needs"
    )
    command.set_defaults(run=_training)

    command = commands.add_parser(
        "test", parents=[making], help="install what the tests need and run them all"
    )
    command.usage = (
        "install.py test [-h] [--prefix FOLDER] [--cpu] [--no-models] [PYTEST ARGUMENT ...]"
    )
    command.set_defaults(run=_test)
    return parser
