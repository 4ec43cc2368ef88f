from __future__ import annotations

import configparser
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from backend.setup import krita as kritas
from backend.setup import plugin, project

from .conftest import Home

IMPORTER = Path("/usr/share/krita/pykrita/plugin_importer")
LOAD = "import sys; sys.path.insert(0, sys.argv[1]); import vendored; print(vendored.load())"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Krita's resource folder, with its settings and another plugin."""
    resources = tmp_path / "data" / "krita"
    (resources / "pykrita").mkdir(parents=True)
    (resources / "pykrita" / "other.desktop").write_text("another plugin")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "kritarc").write_bytes(b"[theme]\nTheme=Krita dark\n")
    return resources


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def put(made: Home, profile: Path, *arguments: object) -> str:
    prefix = made.environment.prefix
    done = made.install(
        "plugin", "--no-models", "--prefix", prefix, "--krita-dir", profile, *arguments
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_install_and_uninstall_leave_no_trace(made: Home, profile: Path) -> None:
    before = everything(profile.parent.parent)
    put(made, profile)
    assert (profile / "pykrita/nuri/__init__.py").is_file()
    assert (profile / "pykrita/nuri.desktop").is_file()
    assert (profile / "actions/nuri.action").is_file()
    settings = (profile.parent.parent / "config/kritarc").read_bytes()
    assert settings == b"[theme]\nTheme=Krita dark\n\n[python]\nenable_nuri=true\n"
    assert plugin.installed_version(kritas.at(profile)) == project.version()
    put(made, profile, "--uninstall")
    assert everything(profile.parent.parent) == before
    assert not (profile / "pykrita/nuri").exists()


def test_kritas_python_loads_what_was_installed(made: Home, profile: Path) -> None:
    put(made, profile)
    package = profile / "pykrita/nuri"
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOAD, str(package)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    folders = {path.name.split("-")[0] for path in (package / "vendor").iterdir()}
    assert folders == {"protocol", "cp310", "cp311", "abi3"}
    for compiled in ("cp310", "cp311", "abi3"):
        assert list((package / "vendor").glob(f"{compiled}-*/zmq/backend/cython/_zmq*"))
        assert list((package / "vendor").glob(f"{compiled}-*/msgpack/__init__.py"))
        assert list((package / "vendor").glob(f"{compiled}-*/pyzmq*.dist-info/**/LICENSE*"))


def test_what_the_artist_put_there_survives(made: Home, profile: Path) -> None:
    put(made, profile)
    (profile / "pykrita/nuri/my notes.txt").write_text("mine")
    (profile / "pykrita/nuri/__pycache__").mkdir()
    (profile / "pykrita/nuri/__pycache__/x.pyc").touch()
    (profile / "pykrita/nuri/qt.py").write_text("damaged")
    (profile / "pykrita/.nuri-new-killed").mkdir()
    put(made, profile)
    assert (profile / "pykrita/nuri/my notes.txt").read_text() == "mine"
    assert (profile / "pykrita/nuri/qt.py").read_text() != "damaged"
    assert not list((profile / "pykrita").glob(".nuri-new-*"))
    told = put(made, profile, "--uninstall")
    assert "my notes.txt" in told
    assert everything(profile / "pykrita") == {
        "nuri/my notes.txt": b"mine",
        "other.desktop": b"another plugin",
    }


def test_a_plugin_copied_by_hand_is_kept_aside(made: Home, profile: Path) -> None:
    (profile / "pykrita/nuri").mkdir()
    (profile / "pykrita/nuri/__init__.py").write_text("my own version")
    told = put(made, profile)
    assert "nuri-before-1" in told
    assert (profile / "nuri-before-1/__init__.py").read_text() == "my own version"


def test_nothing_to_uninstall_is_said(home: Home, profile: Path) -> None:
    before = everything(profile.parent.parent)
    done = home.install("plugin", "--uninstall", "--krita-dir", profile)
    assert (done.returncode, done.stdout) == (0, f"There is no Nuri in {profile}\n")
    done = home.install("plugin", "--uninstall", "--krita-dir", profile / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--krita-dir" in done.stderr
    assert everything(profile.parent.parent) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_a_krita_without_its_folder_does_not_keep_the_next_from_uninstalling(
    made: Home, home: Home
) -> None:
    """The first Krita has settings alone, the Flatpak one has the plugin."""
    settings = home.path / ".config/kritarc"
    settings.parent.mkdir()
    settings.write_bytes(b"[python]\nenable_nuri=true\n[theme]\nTheme=x\n")
    flatpak = home.path / ".var/app/org.kde.krita"
    flatpak_settings = ("--kritarc", flatpak / "config/kritarc")
    put(made, flatpak / "data/krita", *flatpak_settings)
    assert (flatpak / "data/krita/pykrita/nuri.desktop").is_file()
    done = home.install("plugin", "--uninstall")
    assert (done.returncode, done.stderr) == (0, "")
    first = home.path / ".local/share/krita"
    told = [f"There is no Nuri in {first}", f"Removed from {flatpak / 'data/krita'}"]
    assert done.stdout.splitlines() == told
    assert settings.read_bytes() == b"[theme]\nTheme=x\n"
    assert not first.exists()
    assert everything(flatpak / "data/krita") == {}
    assert b"nuri" not in (flatpak / "config/kritarc").read_bytes()


def test_a_copy_by_hand_is_disabled_and_named(home: Home, profile: Path) -> None:
    settings = profile.parent.parent / "config/kritarc"
    settings.write_bytes(b"[python]\nenable_nuri=true\n")
    copied = [profile / name for name in ("actions/nuri.action", "pykrita/nuri/__init__.py")]
    copied.append(profile / "pykrita/nuri.desktop")
    for path in copied:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    done = home.install("plugin", "--uninstall", "--krita-dir", profile)
    assert (done.returncode, done.stderr) == (0, "")
    first, *left = done.stdout.splitlines()
    assert first == f"Disabled, but not removed from {profile}"
    words = "  left there, because Nuri did not put it there: "
    assert left == [f"{words}{path}" for path in sorted(map(str, copied))]
    assert all(path.is_file() for path in copied)
    assert settings.read_bytes() == b""


def test_a_manifest_cannot_name_other_files(made: Home, profile: Path) -> None:
    put(made, profile)
    manifest = profile / "pykrita/nuri/installed.json"
    table = json.loads(manifest.read_bytes())
    table["files"] += ["pykrita/other.desktop", "pykrita/nuri/../other.desktop", "/etc/hostname"]
    manifest.write_text(json.dumps(table))
    put(made, profile, "--uninstall")
    assert (profile / "pykrita/other.desktop").is_file()


def test_a_resource_folder_that_is_a_file(made: Home, tmp_path: Path) -> None:
    (tmp_path / "krita").write_text("no folder")
    prefix = made.environment.prefix
    done = made.install(
        *("plugin", "--no-models", "--prefix", prefix, "--krita-dir", tmp_path / "krita"),
        *("--kritarc", tmp_path / "kritarc"),
    )
    assert done.returncode == 1
    assert "--krita-dir" in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "kritarc").exists()


@pytest.fixture(scope="module")
def package(story: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = story.home  # type: ignore[attr-defined]
    path = tmp_path_factory.mktemp("zip") / "nuri plugin.zip"
    done = home.install("plugin", "--no-models", "--prefix", home.environment.prefix, "--zip", path)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def test_the_zip_follows_the_importers_rules(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        desktop = configparser.ConfigParser()
        desktop.read_string(archive.read("nuri.desktop").decode())
    assert desktop["Desktop Entry"]["X-KDE-Library"] == "nuri"
    assert "nuri/" in names
    assert "nuri/__init__.py" in names
    assert [name for name in names if name.endswith("/nuri/") or name == "nuri/"] == ["nuri/"]
    assert "nuri.action" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("/")]


@pytest.mark.krita
def test_kritas_own_importer_takes_the_zip(package: Path, profile: Path) -> None:
    script = IMPORTER / "plugin_importer.py"
    done = subprocess.run(
        [sys.executable, "-B", str(script), str(package), str(profile)],
        capture_output=True,
        text=True,
    )
    assert "Imported plugin: Nuri" in done.stdout, done.stderr
    assert (profile / "actions/nuri.action").is_file()
    assert plugin.installed_version(kritas.at(profile)) == project.version()


def test_a_python_of_ascii_names_finds_the_backend(made: Home) -> None:
    # Krita can run its Python in the C locale, even for people whose names have umlauts.
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from protocol import launch; "
        "assert sys.getfilesystemencoding() == 'ascii'; "
        "print(os.fsencode(launch.backend_command()[0]).decode().isascii())"
    )
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    done = made.run(sys.executable, "-X", "utf8=0", "-c", code, project.ROOT, **locale)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
