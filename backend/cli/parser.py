"""The command line of `nuri`: which commands and options there are."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import NoReturn

from .values import path, positive, rate

_DEVICES = "auto or cpu; no network here computes on a GPU yet"


class UsageError(Exception):
    """Wrong usage; the text is one line with the remedy."""


class _Parser(argparse.ArgumentParser):
    """argparse that complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line; ``run`` is the command they are for. Raises UsageError."""
    return _build().parse_args(arguments)


def _command(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """A command that is imported when it runs, so that `nuri status` waits for nothing else."""

    def run(options: argparse.Namespace) -> int:
        command: Callable[[argparse.Namespace], int] = getattr(
            importlib.import_module(f"backend.cli.{module}"), function
        )
        return command(options)

    return run


def _build() -> argparse.ArgumentParser:
    parser = _Parser(prog="nuri", description="Colours line art, on your own machine.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_colorize(commands)
    _add_batch(commands)
    _add_animate(commands)
    _add_grey(commands)
    _add_lines(commands)
    _add_service(commands)
    models = commands.add_parser("models", help="list what can colour")
    _add_json(models)
    models.set_defaults(run=_command("information", "models"))
    doctor = commands.add_parser("doctor", help="check the installation and say what to mend")
    _add_json(doctor)
    doctor.set_defaults(run=_command("information", "doctor"))
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"nuri {version('nuri')}")
        parser.exit()


def _add_colorize(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("colorize", help="colour one drawing")
    parser.add_argument(
        "line", type=path, metavar="LINE", help="PNG, JPEG, WebP, TIFF, .kra or .ora"
    )
    parser.add_argument("-o", "--output", type=path, required=True, metavar="OUT", help="PNG")
    parser.add_argument(
        "--hints",
        type=path,
        metavar="PNG",
        help="RGBA picture of the same size, strokes of colour on transparent ground; "
        "not needed for a .kra or .ora file with a layer named 'Hints'",
    )
    _add_job_options(parser)
    parser.add_argument(
        "--regions",
        type=path,
        metavar="PNG",
        help="also write the region ids, 16-bit grey, 0 none",
    )
    parser.add_argument(
        "--palette",
        type=path,
        metavar="JSON",
        help="also write each colour with its regions",
    )
    parser.set_defaults(run=_command("colorize", "run"))


def _add_batch(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "batch",
        help="colour a folder of drawings",
        description="Colours every drawing of a folder. NAME.png takes its hints from "
        "NAME.hints.png beside it, or from the same name in the folder of --hints; .kra and .ora "
        "files from their own hint layer. Pictures that are done already are skipped, unless their "
        "lines or hints, a reference, an option or a network has changed since.",
    )
    parser.add_argument("folder", type=path, metavar="FOLDER")
    parser.add_argument("-o", "--output", type=path, required=True, metavar="FOLDER")
    parser.add_argument("--recursive", action="store_true", help="go into folders of the folder")
    parser.add_argument("--hints", type=path, metavar="FOLDER", help="where the hints are")
    parser.add_argument("--force", action="store_true", help="do again what is done already")
    parser.add_argument(
        "--jobs",
        type=positive,
        default=2,
        metavar="N",
        help="drawings under way at once (2)",
    )
    _add_job_options(parser)
    parser.set_defaults(run=_command("batch", "run"))


def _add_grey(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("grey", help="colour a grey painting, keeping its lightness")
    _add_picture(parser)
    parser.add_argument(
        "--model",
        choices=("smsanet", "ibn_gan"),
        default="",
        help="default: the first of these that is installed",
    )
    _add_running(parser)
    parser.set_defaults(run=_command("grey", "run"))


def _add_picture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image", type=path, metavar="IMAGE", help="PNG, JPEG, WebP, TIFF, .kra or .ora"
    )
    parser.add_argument("-o", "--output", type=path, required=True, metavar="OUT", help="PNG")
    parser.add_argument("--layer", default="", metavar="NAME", help="of a .kra or .ora file")


def _add_animate(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "animate",
        help="colour a shot from a few coloured frames",
        description="Colours the frames of a shot from one to five of them that are coloured. A "
        "key frame has the name of its frame. Frames that are done are skipped, unless lines, key "
        "frames of their shot, options or the network have changed since.",
    )
    parser.add_argument(
        "frames",
        type=path,
        nargs="+",
        metavar="FRAME",
        help="pictures in their order, a folder of them, a .kra animation, an animated PNG, GIF "
        "or WebP, or a video",
    )
    parser.add_argument(
        "--key",
        type=path,
        nargs="+",
        default=[],
        metavar="KEYFRAME",
        help="coloured frames, or a folder of them",
    )
    parser.add_argument(
        "--key-layer", default="", metavar="NAME", help="layer of a .kra file with coloured frames"
    )
    parser.add_argument(
        "--line-layer", default="", metavar="NAME", help="layer of .kra or .ora files with lines"
    )
    parser.add_argument("-o", "--output", type=path, required=True, metavar="DIR")
    parser.add_argument(
        "--lines",
        action=argparse.BooleanOptionalAction,
        help="lines over the colours (default: where the key frames show theirs)",
    )
    parser.add_argument(
        "--model", metavar="ID", help="matching, video, aaldc or a style, see `nuri models`"
    )
    parser.add_argument(
        "--soft", action="store_true", help="with the shading of the key frames, not flat"
    )
    parser.add_argument(
        "--film",
        type=path,
        metavar="FILE",
        help="also join the frames: .mp4, .webm, .mkv, .gif, .webp or animated .png; .kra: a copy "
        "of the .kra animation with the colours as a layer (use a DIR of its own)",
    )
    parser.add_argument(
        "--fps",
        type=rate,
        metavar="N",
        help="frames a second of the film (default: as in the film that was read, else 12)",
    )
    parser.add_argument(
        "--cuts",
        action="store_true",
        help="several shots in one: find where they are cut; each needs key frames of its own",
    )
    parser.add_argument(
        "--review",
        action="store_true",
        help="also write DIR/review.html: lines, result and confidence side by side, to be played",
    )
    parser.add_argument("--force", action="store_true", help="do again what is done already")
    _add_running(parser)
    parser.set_defaults(run=_command("animate", "run"))


def _add_lines(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser("lines", help="line art of a finished picture")
    _add_picture(parser)
    parser.add_argument(
        "--method", choices=("xdog", "learned"), default="xdog", help="how (default: xdog)"
    )
    _add_running(parser)
    parser.set_defaults(run=_command("lines", "run"))


def _add_job_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--flats", action="store_true", help="hints alone, without a network for the rest"
    )
    parser.add_argument(
        "--soft",
        action="store_true",
        help="with the shading of the references, or as a network paints, not flat",
    )
    parser.add_argument("--no-lines", action="store_true", help="leave the lines out of OUT")
    parser.add_argument(
        "--fill-unhinted",
        action="store_true",
        help="without a network: regions without a hint take the nearest colour",
    )
    parser.add_argument("--line-layer", default="", metavar="NAME", help="of a .kra or .ora file")
    parser.add_argument("--hint-layer", default="", metavar="NAME", help="of a .kra or .ora file")
    parser.add_argument("--model", metavar="ID", help="see `nuri models`")
    parser.add_argument(
        "--reference",
        type=path,
        nargs="+",
        metavar="PNG",
        help="coloured drawings to follow",
    )
    parser.add_argument("--size", type=positive, help=argparse.SUPPRESS)  # always refused
    parser.add_argument("--device", metavar="D", help=_DEVICES)
    _add_running(parser)


def _add_running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-daemon", action="store_true", help="work in this process")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing on success")
    _add_json(parser)


def _add_service(commands: argparse._SubParsersAction[_Parser]) -> None:
    serve = commands.add_parser("serve", help="run the daemon in this terminal")
    serve.add_argument("--device", default="auto", metavar="D", help=_DEVICES)
    serve.add_argument(
        "--listen", metavar="ENDPOINT", help="also serve other machines, as tcp://ADDRESS:PORT"
    )
    serve.add_argument("--auto", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(run=_command("service", "serve"))
    status = commands.add_parser("status", help="what the daemon is doing")
    _add_json(status)
    status.set_defaults(run=_command("service", "status"))
    stop = commands.add_parser("stop", help="end the daemon")
    stop.set_defaults(run=_command("service", "stop"))


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write JSON for programs")
