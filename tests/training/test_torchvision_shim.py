"""torchvision loads beside any build of torch, and is left alone where it loads by itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from training.torchvision_shim import (
    declare_missing_operators,
    import_pytorch_fid,
    import_torchvision,
)


def test_the_installed_packages_load() -> None:
    torchvision = import_torchvision()
    assert torchvision is import_torchvision()
    assert torchvision.ops.box_iou(torch.ones(1, 4), torch.ones(1, 4)).shape == (1, 1)
    assert hasattr(import_pytorch_fid(), "InceptionV3")
    assert declare_missing_operators() == []


def run(code: str, folder: Path) -> str:
    project = Path(__file__).resolve().parents[2]
    code = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(project)!r}]\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def fake(folder: Path, text: str) -> None:
    package = folder / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(textwrap.dedent(text))


def test_a_fitting_pair_is_left_alone(tmp_path: Path) -> None:
    fake(tmp_path, "name = 'fits'\n")
    out = run(
        "import torch; from training.torchvision_shim import import_torchvision\n"
        "print(import_torchvision().name, hasattr(torch.ops.torchvision, 'nms'))",
        tmp_path,
    )
    assert out == "fits False"


def test_absent_operators_are_declared_and_the_import_is_done_again(tmp_path: Path) -> None:
    fake(
        tmp_path,
        """
        import torch
        from torchvision import part
        part.loads += 1
        if not hasattr(torch.ops.torchvision, "nms"):
            raise RuntimeError("operator torchvision::nms does not exist")
        """,
    )
    (tmp_path / "torchvision" / "part.py").write_text("loads = 0\n")
    out = run(
        "import torch; from training.torchvision_shim import import_torchvision\n"
        "print(import_torchvision().part.loads, hasattr(torch.ops.torchvision, 'qnms'))",
        tmp_path,
    )
    assert out == "1 True"


def test_another_failure_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, "raise RuntimeError('built for another Python')\n")
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="another Python"):
        import_torchvision()


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_fid", None)
    monkeypatch.delitem(sys.modules, "pytorch_fid.inception", raising=False)
    with pytest.raises(ImportError, match="pytorch_fid is not installed"):
        import_pytorch_fid()
