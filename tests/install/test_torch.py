"""What `install.py` does about a PyTorch that is there: real pip in a real environment, and small
packages in the place of the large ones."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.setup import environment as environments
from backend.setup import interpreter, project, torch_build
from backend.setup.environment import Environment, Marker

CPU, CUDA = f"{torch_build.TORCH}+cpu", f"{torch_build.TORCH}+cu130"
TORCH = """
__version__ = {version!r}
class _Ones:
    def __matmul__(self, other): return self
    def sum(self): return 256.0**3
def ones(*size, device): return _Ones()
class cuda: is_available = staticmethod(lambda: False)
class backends:
    class mps: is_available = staticmethod(lambda: False)
"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else; its programs name its place."""
    prefix = tmp_path_factory.mktemp("torch") / "env"
    interpreter.make(prefix)
    return prefix


@pytest.fixture
def made(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Environment, Path]]:
    """The environment as if the backend were in it, and the folder that pip finds packages in."""
    shop = tmp_path / "shop"
    shop.mkdir()
    wheel(shop, "safetensors", "0.5.0", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop))
    monkeypatch.setattr(environments, "_HEALTH", "import sys")
    monkeypatch.setattr(torch_build, "has_nvidia_gpu", lambda: False)
    made = Environment(empty)
    made.nuri.touch()
    note(made, "")
    yield made, shop
    pip = [made.python, "-m", "pip", "uninstall", "-y", "-q", "torch", "safetensors"]
    subprocess.run(pip, check=True, capture_output=True)
    shutil.rmtree(packages(made) / "torch", ignore_errors=True)


def wheel(shop: Path, name: str, version: str, code: str) -> None:
    """A package of one file, as pip installs it."""
    facts = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": code,
        f"{facts}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{facts}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{facts}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{facts}/RECORD"))
    with zipfile.ZipFile(shop / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, text in files.items():
            file.writestr(path, text)


def offer(shop: Path, *versions: str) -> None:
    for old in shop.glob("torch-*"):
        old.unlink()
    for version in versions:
        wheel(shop, "torch", version, TORCH.format(version=version))


def note(made: Environment, torch: str) -> None:
    """What an earlier run says of PyTorch."""
    marker = Marker(complete=True, created=True, prefix=str(made.prefix), root=str(project.ROOT))
    marker.requirements = project.requirements_fingerprint()
    made._write(dataclasses.replace(marker, torch=torch))


def noted(made: Environment) -> str:
    marker = made.marker()
    assert marker is not None
    return marker.torch


def packages(made: Environment) -> Path:
    return next(made.prefix.glob("lib/python*/site-packages"))


def works(made: Environment) -> str:
    return torch_build.self_test(made.python).version


@pytest.mark.parametrize("damage", ["gone", "broken"])
def test_one_that_does_not_work_any_more_is_installed_afresh(
    made: tuple[Environment, Path], damage: str
) -> None:
    environment, shop = made
    offer(shop, CPU)
    environment.ensure()
    assert noted(environment) == works(environment) == CPU
    folder = packages(environment) / "torch"
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        (folder / "__init__.py").write_text("raise OSError('libtorch_cpu.so: file too short')")
    environment.ensure()
    assert noted(environment) == works(environment) == CPU


def test_one_that_works_is_left_as_it_is(
    made: tuple[Environment, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    environment, shop = made
    offer(shop, CPU)
    environment.ensure()
    offer(shop)
    for cpu in (False, True):
        environment.ensure(cpu=cpu)
        assert works(environment) == CPU
    assert capsys.readouterr().err == ""


def test_cpu_takes_the_place_of_a_build_with_cuda(made: tuple[Environment, Path]) -> None:
    environment, shop = made
    offer(shop, CUDA)
    environment.ensure()
    assert noted(environment) == CUDA
    offer(shop, CUDA, CPU)
    environment.ensure()
    assert noted(environment) == CUDA
    environment.ensure(cpu=True)
    assert noted(environment) == works(environment) == CPU


def test_a_build_with_cuda_stays_where_no_other_can_be_had(
    made: tuple[Environment, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    environment, shop = made
    offer(shop, CUDA)
    environment.ensure()
    environment.ensure(cpu=True)
    assert noted(environment) == works(environment) == CUDA
    assert "What is there stays: torch 2.13.0+cu130 on cpu" in capsys.readouterr().err


def test_none_that_works_is_no_end_and_tried_afresh_the_next_time(
    made: tuple[Environment, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    environment, shop = made
    wheel(shop, "torch", CPU, "raise OSError('libgomp.so.1: cannot open shared object file')")
    environment.ensure()
    assert "libgomp.so.1" in capsys.readouterr().err
    offer(shop, CPU)
    environment.ensure()
    assert noted(environment) == works(environment) == CPU
