"""`nuri-train`: exit codes and one-line errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from training.cli import main


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.startswith("nuri-train: ") and text.count("\n") == 1
    return text


@pytest.mark.parametrize(
    "arguments",
    [[], ["paint"], ["train"], ["train", "aaldc"], ["export", "run"], ["evaluate", "a", "--limit"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "--help" in complaint(capsys)


@pytest.mark.parametrize("steps", ["many", "0", "2.5"])
def test_a_count_is_a_whole_number(steps: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["style", "frames", "--steps", steps]) == 2
    assert f"--steps: {steps} is not a whole number of 1 or more" in complaint(capsys)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "aaldk", "-o", "RUN"], "aaldc"),
        (["train", "aaldc/skft", "-o", "RUN"], "scft"),
        (["train", "aaldc", "-o", "RUN", "--set", "loss.pixl=3"], "did you mean 'loss.pixel'"),
        (["train", "missing.toml", "-o", "RUN"], "missing.toml"),
        (["evaluate", "RUN"], "run.json is missing"),
        (["finetune", "RUN", "-o", "RUN"], "run.json is missing"),
        (["export", "RUN", "-o", "a.safetensors"], "holds no checkpoint"),
        (["import", "a.pth", "-o", "a.safetensors", "--as", "vgg19"], "there is no file a.pth"),
        (["import", "a.pth", "-o", "a.pth", "--as", "vgg19"], "is no .safetensors file"),
        (["import", "a.pth", "-o", "a.safetensors", "--as", "nobody"], "nothing is called"),
    ],
)
def test_a_failure_ends_with_1_and_says_what_to_do(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert expected in complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_run_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").write_text("mine")
    settings = ["--set", "data.count=4", "--set", "data.size=64", "--set", "model.width=2"]
    assert main(["train", "aaldc/sga", "-o", str(tmp_path / "run"), "--quiet", *settings]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"nuri-train: {tmp_path / 'run'}: file exists: check the folder")
    assert (tmp_path / "run").read_text() == "mine"


def test_help_and_version_end_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["train", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    assert "nuri-train" in capsys.readouterr().out


def test_a_missing_package_is_named_with_its_remedy() -> None:
    code = (
        "import sys; sys.modules['lightning_fabric'] = None; from training.cli import main; "
        "sys.exit(main(['style', 'frames', '--name', 'Mine']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the package lightning_fabric is not installed" in done.stderr
    assert "install.py training" in done.stderr and done.stderr.count("\n") == 1
