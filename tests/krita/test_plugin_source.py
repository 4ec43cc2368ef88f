"""What can be known of the plugin without Krita: its libraries' folders, its imports."""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from backend.models import registry
from backend.setup import wheels
from backend.weights import styles

PLUGIN = Path(__file__).resolve().parents[2] / "krita_plugin" / "nuri"
SOURCES = sorted(PLUGIN.rglob("*.py"))
# Importable while the libraries are missing: they tell the artist about it.
EARLY = ("__init__.py", "broken.py", "qt.py", "vendored.py")


@pytest.fixture
def vendored(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file alone: the package around it needs Krita."""
    specification = importlib.util.spec_from_file_location("vendored", PLUGIN / "vendored.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return module


def test_folder_is_the_one_that_the_installer_fills(vendored: ModuleType) -> None:
    assert vendored.platform() == wheels.platform_name()


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux-x86_64", "linux-x86_64"),
        ("linux-aarch64", "linux-aarch64"),
        ("win-amd64", "win-amd64"),
        ("macosx-11.0-arm64", "macos-universal"),
        ("macosx-10.9-universal2", "macos-universal"),
    ],
)
def test_platforms(
    vendored: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, folder: str
) -> None:
    monkeypatch.setattr(sysconfig, "get_platform", lambda: system)
    assert vendored.platform() == folder


@pytest.mark.parametrize(
    ("version", "abi"),
    [((3, 10, 7), "cp310"), ((3, 11, 2), "cp311"), ((3, 12, 0), "abi3"), ((3, 14, 1), "abi3")],
)
def test_interfaces(
    vendored: ModuleType, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], abi: str
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert vendored.abi() == abi


def test_vendored_folders_come_first(vendored: ModuleType, tmp_path: Path) -> None:
    libraries = tmp_path / f"{vendored.abi()}-{vendored.platform()}"
    libraries.mkdir()
    assert vendored.load(tmp_path) == ""
    assert sys.path[:2] == [str(tmp_path), str(libraries)]


def test_a_library_that_does_not_fit_is_a_reason(
    vendored: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = tmp_path / f"{vendored.abi()}-{vendored.platform()}" / "zmq"
    libraries.mkdir(parents=True)
    (libraries / "__init__.py").write_text("raise RuntimeError('built for another Python')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "zmq"]:
        monkeypatch.delitem(sys.modules, name)
    reason = vendored.load(tmp_path)
    assert "built for another Python" in reason
    assert "zmq" in reason
    assert "\n" not in reason


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_imports(path: Path) -> None:
    """Only qt.py knows PyQt; NumPy is nowhere; early files need none of the libraries."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    allowed = set(sys.stdlib_module_names) | {"krita"}
    if path.name == "qt.py":
        allowed |= {"pykrita", "PyQt5", "PyQt6"}
    if path.name not in EARLY:
        allowed.add("protocol")
    assert found <= allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHOOSERS", registry.CHOOSERS),
        ("PAINTERS", registry.PAINTERS),
        ("STYLE", styles.PREFIX),
    ],
)
def test_models_are_those_of_the_backend(name: str, value: object) -> None:
    """The plugin cannot import them."""
    values = [
        ast.literal_eval(node.value)
        for node in ast.parse((PLUGIN / "jobs" / "request.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    assert values == [value]


def test_both_kinds_of_qt_offer_the_same() -> None:
    names: dict[str, set[str]] = {"PyQt5": set(), "PyQt6": set()}
    for node in ast.walk(ast.parse((PLUGIN / "qt.py").read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("PyQt"):
            names[str(node.module)[:5]] |= {alias.name for alias in node.names}
    assert names["PyQt5"] == names["PyQt6"]
