"""The arguments of every command of `nuri-train`; a command's module is imported when it runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from training.errors import TrainingError

WEIGHTS = Path(__file__).resolve().parent.parent / "backend" / "weights"


class UsageError(Exception):
    """Wrong usage; the text is one line with the remedy."""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the chosen one is ``options.run``."""
    parser = _Parser(
        prog="nuri-train",
        description="Trains, evaluates and reproduces the colouring networks of five papers.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_prepare(commands)
    _add_train(commands)
    _add_match(commands)
    _add_style(commands)
    _add_finetune(commands)
    _add_evaluate(commands)
    _add_reproduce(commands)
    _add_export(commands)
    _add_ship(commands)
    _add_import(commands)
    _add_fetch(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """argparse that complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"nuri-train {version('nuri')}\n")
        parser.exit()


Commands = argparse._SubParsersAction  # the class has no public name


def _command(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        try:
            room = importlib.import_module(f"training.commands.{module}")
        except ModuleNotFoundError as error:
            raise TrainingError(
                f"the package {error.name} is not installed", "run `python3 install.py training`"
            ) from error
        command: Callable[[argparse.Namespace], int] = getattr(room, function)
        return command(options)

    return run


def _add_prepare(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("prepare", help="read all data once and name bad pictures")
    _add_preset(parser)
    _add_data(parser)
    _add_settings(parser)
    parser.set_defaults(run=_command("prepare", "prepare"))


def _add_train(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("train", help="train a preset, all its stages")
    _add_preset(parser)
    _add_data(parser)
    _add_run(parser)
    parser.set_defaults(run=_command("train", "train"))


def _add_match(commands: Commands[_Parser]) -> None:
    for name, what in (
        ("match", "train the region matcher, on the shared sets"),
        ("choose", "train the colour chooser on the shipped matcher, on the shared sets"),
        ("borders", "train the border finder, on the shared sets"),
    ):
        parser = commands.add_parser(name, help=what)
        parser.add_argument(
            "--data", type=Path, required=True, metavar="DIR", help="folder of sets"
        )
        parser.add_argument(
            "--start", type=Path, metavar="FILE.safetensors", help="begin with these weights"
        )
        _add_run(parser)
        parser.set_defaults(run=_command("match", name))


def _add_style(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser(
        "style",
        help="teach the region matcher an artist's coloured frames, and write a named style",
    )
    parser.add_argument(
        "frames", type=Path, metavar="FOLDER", help="line_* with color_* pictures, also in folders"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="NAME.safetensors",
        help="default: where Nuri looks for styles, to be chosen there by its name",
    )
    parser.add_argument("--name", default="", metavar="NAME", help="default: that of the file")
    parser.add_argument("--steps", type=_positive, default=80, metavar="N", help="80 by default")
    parser.add_argument(
        "--check",
        type=Path,
        metavar="FOLDER",
        help="measure on its frames (default: on the last fifth of the others, held back)",
    )
    parser.add_argument("--keep", action="store_true", help="write it even if it came out worse")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=_command("style", "style"))


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return value


def _add_finetune(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser(
        "finetune", help="go on with a trained network on other drawings (manga, video)"
    )
    parser.add_argument("base", type=Path, metavar="RUN", help="run folder that was trained")
    _add_data(parser)
    _add_run(parser)
    parser.set_defaults(run=_command("train", "finetune"))


def _add_evaluate(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("evaluate", help="measure a trained run on held-out drawings")
    parser.add_argument("run_folder", type=Path, metavar="RUN")
    _add_data(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many pictures")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _add_settings(parser)
    _add_device(parser)
    parser.set_defaults(run=_command("evaluate", "evaluate"))


def _add_reproduce(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser(
        "reproduce", help="train and measure the rows of a paper's table, write a page"
    )
    parser.add_argument("paper", metavar="PAPER", help="aaldc, ibn_gan, video, smsanet, manga, all")
    parser.add_argument("--table", metavar="N", help="only this table")
    parser.add_argument("--row", metavar="NAME", help="only this row")
    _add_data(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--budget", metavar="BUDGET", help="smoke, 20min, 6h, ... (absent: the paper's schedule)"
    )
    _add_settings(parser)
    _add_device(parser)
    parser.set_defaults(run=_command("reproduce", "reproduce"))


def _add_export(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("export", help="a run's network as safetensors with a model card")
    parser.add_argument("run_folder", type=Path, metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    _add_network(parser)
    parser.add_argument("--half", action="store_true", help="write fp16, half the size")
    parser.set_defaults(run=_command("convert", "export"))


def _add_ship(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser(
        "ship", help="put a network as fp16 into the weights folder, with card and manifest entry"
    )
    parser.add_argument("source", type=Path, metavar="RUN|FILE", help="run folder or .safetensors")
    parser.add_argument("--id", required=True, metavar="ID", help="what a task asks for")
    parser.add_argument("--licence", required=True, metavar="TEXT", help="of the weights")
    parser.add_argument(
        "--data", required=True, nargs="+", metavar="SET", help="sets, with who made them"
    )
    parser.add_argument(
        "--command", required=True, metavar="TEXT", help="the command that trained it"
    )
    parser.add_argument(
        "--evaluation", type=Path, metavar="JSON", help="figures (default: evaluation.json of RUN)"
    )
    parser.add_argument("--notes", type=Path, metavar="FILE.md", help="more for the model card")
    parser.add_argument("--into", type=Path, default=WEIGHTS, metavar="FOLDER")
    _add_network(parser)
    parser.set_defaults(run=_command("convert", "ship"))


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", default="generator", help="generator (default) or refiner")


def _add_import(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser("import", help="convert published .pth weights, running no code")
    parser.add_argument("source", type=Path, metavar="FILE.pth")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument(
        "--as", dest="name", required=True, metavar="NAME", help="vgg19, siggraph17, manga, ..."
    )
    parser.set_defaults(run=_command("convert", "import_weights"))


def _add_fetch(commands: Commands[_Parser]) -> None:
    parser = commands.add_parser(
        "fetch", help="download pretrained networks that are not here yet, and check them"
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="vgg16, inception_fid, ...")
    parser.set_defaults(run=_command("fetch", "fetch"))


def _add_preset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", metavar="PRESET", help="PAPER, PAPER/ROW or a .toml file")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder (absent: drawings are generated)",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="run folder"
    )
    parser.add_argument("--resume", action="store_true", help="go on where the run stopped")
    parser.add_argument("--devices", type=int, default=1, metavar="N", help="so many GPUs")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    _add_settings(parser)
    _add_device(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value of the preset, e.g. loss.pixel=10; may be repeated",
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:N, mps")
