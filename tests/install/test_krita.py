from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend.setup import krita


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if sys.platform != "linux":
        pytest.skip("the places of Linux")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_distribution_flatpak_and_snap(folders: Path) -> None:
    (folders / ".local/share/krita").mkdir(parents=True)
    (folders / ".var/app/org.kde.krita/data/krita").mkdir(parents=True)
    (folders / "snap/krita/current/.config").mkdir(parents=True)
    (folders / "snap/krita/current/.config/kritarc").touch()
    found = {one.kind: one for one in krita.find(folders)}
    assert set(found) == {"Linux", "flatpak", "snap"}
    assert found["Linux"].settings == folders / ".config/kritarc"
    assert found["flatpak"].settings == folders / ".var/app/org.kde.krita/config/kritarc"
    assert found["snap"].plugins == folders / "snap/krita/current/.local/share/krita/pykrita"
    assert found["flatpak"].is_sandboxed
    assert not found["Linux"].is_sandboxed


def test_a_resource_folder_chosen_in_krita(folders: Path) -> None:
    (folders / ".config").mkdir()
    (folders / ".config/kritarc").write_text(
        f"ResourceDirectory={folders}/drawing tools\n[x]\nResourceDirectory=/wrong\n"
    )
    assert krita.find(folders)[0].resources == folders / "drawing tools"


def test_a_chosen_folder_with_its_settings_beside(folders: Path) -> None:
    (folders / "profile/config").mkdir(parents=True)
    (folders / "profile/config/kritarc").touch()
    chosen = krita.at(folders / "profile/data/krita")
    assert chosen.settings == folders / "profile/config/kritarc"
    assert krita.at(folders / "alone").settings == folders / ".config/kritarc"
    assert krita.at(folders / "alone", folders / "rc").settings == folders / "rc"


@pytest.mark.krita
def test_the_installed_kritas_version_is_told(folders: Path) -> None:
    installed = krita.find(folders)[0]
    assert installed.found
    assert krita.version(installed)[0].isdigit()
