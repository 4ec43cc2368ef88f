from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.setup.project import ROOT

from .conftest import Home, Story

EXAMPLES = ROOT / "docs" / "examples"
# Places away from every hint, and the colour that an artist expects there.
LOOKS = {
    "autumn": {
        (400, 15): "#f9f1de",
        (215, 130): "#d9542e",
        (840, 80): "#c88a35",
        (560, 860): "#f2e2c4",
        (500, 985): "#b9c48a",
        (640, 560): "#c63d2f",
        (80, 380): "#f9f1de",
    },
    "boat": {
        (30, 20): "#bfe3e6",
        (700, 200): "#bfe3e6",
        (620, 300): "#f4efe2",
        (690, 420): "#e2604f",
        (900, 640): "#8d8a86",
        (20, 600): "#4d9db4",
        (800, 895): "#1f5f80",
        (400, 330): "#bfe3e6",
    },
    "fox": {
        (20, 20): "#3d5a80",
        (560, 180): "#f7e4b0",
        (500, 340): "#e8793a",
        (500, 600): "#fff4e3",
        (840, 820): "#e8793a",
        (30, 840): "#6f9a83",
        (500, 960): "#4f7a68",
        (450, 900): "#6b3a2c",
    },
    "tea": {
        (600, 50): "#f6e2c4",
        (270, 560): "#fff3e0",
        (560, 470): "#ea8a76",
        (1080, 870): "#6fa8a0",
        (960, 370): "#9cc391",
        (740, 290): "#bfe0ea",
        (760, 700): "#fff3e0",
    },
    "witch": {
        (500, 20): "#d5cbe8",
        (560, 250): "#54408a",
        (270, 480): "#c9582f",
        (530, 600): "#ffe1cd",
        (420, 850): "#6d52a8",
        (640, 1000): "#d5cbe8",
        (820, 1100): "#4b4665",
        (500, 1170): "#8fae8c",
    },
}
NAMES = sorted(path.name.removesuffix("-line.png") for path in EXAMPLES.glob("*-line.png"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
DETAILS = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_fitting_pair(name: str) -> None:
    line, hints = EXAMPLES / f"{name}-line.png", EXAMPLES / f"{name}-hints.png"
    assert pixels(line).shape == pixels(hints).shape
    covered = (pixels(hints)[..., 3] > 0).mean()
    assert 0.001 < covered < 0.1
    assert line.stat().st_size < 200_000


def test_the_demo_colours_every_example(story: Story, made: Home) -> None:
    assert len(NAMES) >= 4
    for name in NAMES:
        result, hints = pixels(story.output / f"{name}.png"), pixels(EXAMPLES / f"{name}-hints.png")
        line = pixels(EXAMPLES / f"{name}-line.png")
        ink = np.where(line[..., 3] > 0, 255 - line[..., :3].max(axis=2), 0)
        clear = (hints[..., 3] == 255) & (ink == 0)
        agree = (result[clear][:, :3] == hints[clear][:, :3]).all(axis=1).mean()
        assert agree > 0.97, f"{name}: {agree:.3f} of the hints have their own colour"
        for (x, y), colour in LOOKS[name].items():
            assert "#" + bytes(result[y, x, :3]).hex() == colour, f"{name} at {x}, {y}"
    assert str(story.output / "sheet.png") in story.demo.stdout
    with Image.open(story.output / "sheet.png") as sheet:
        assert sheet.width > 1200


def test_the_demo_leaves_no_daemon_behind(story: Story, made: Home) -> None:
    assert made.run(made.environment.nuri, "status").returncode == 1


def test_the_python_in_the_readme_is_the_script_and_colours_a_folder(
    story: Story, made: Home, tmp_path: Path
) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    script = ROOT / "docs" / "colour_folder.py"
    assert block is not None
    assert script.read_text(encoding="utf-8").endswith(block[1])
    assert len(block[1].split("\n\n")[-1].strip().splitlines()) <= 10
    for name in NAMES[:2]:
        for kind in ("line", "hints"):
            shutil.copy(EXAMPLES / f"{name}-{kind}.png", tmp_path)
    done = made.run(made.environment.python, script, tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    made.run(made.environment.nuri, "stop")
    for name in NAMES[:2]:
        expected = pixels(story.output / f"{name}.png")
        assert (pixels(tmp_path / f"{name}.png") == expected).all()


def test_every_command_in_the_texts_exists(made: Home) -> None:
    text = README + DETAILS
    for command, options in re.findall(r"install\.py (\w+)((?: --[\w-]+)*)", text):
        help_text = made.install(command, "--help").stdout
        assert help_text, command
        for option in options.split():
            assert option in help_text, f"{command} {option}"
    for command, rest in re.findall(r"/nuri (\w+)([^\n`]*)", text):
        help_text = made.run(made.environment.nuri, command, "--help").stdout
        for option in re.findall(r"--[\w-]+", rest):
            assert option in help_text, f"nuri {command} {option}"


def test_every_picture_and_page_in_the_readme_is_there() -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link).exists(), link


def test_ci_runs_the_readmes_test_command() -> None:
    assert "python3 install.py test" in README
    assert "exec python3 install.py test" in (ROOT / ".ci" / "run").read_text()
