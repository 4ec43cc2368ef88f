"""Styles: found in their folder, loaded by name, used by the tasks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from msgpack import packb
from safetensors.torch import save_file

from backend.models.architectures import build, save_model
from backend.models.registry import announce_styles
from backend.tasks import job
from backend.tasks.workbench import WORKBENCH
from backend.weights import store, styles
from protocol.errors import ErrorCode, NuriError
from tests.backend import figures, shots
from tests.backend.tasks.test_layer import png, run
from tests.backend.weights.shelf import SMALL_MATCHER, put


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One style, a file of another network, one that is damaged, and a tiny shipped matcher."""
    put(tmp_path / "weights", "matching", SMALL_MATCHER)
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path / "weights"))
    place = tmp_path / "styles"
    place.mkdir()
    monkeypatch.setenv(styles.FOLDER, str(place))
    torch.manual_seed(1)
    facts = {"style": {"frames": 4, "date": "2026-11-21"}}
    save_model(place / "My dog.safetensors", build("matching", SMALL_MATCHER), facts)
    save_model(place / "grey.safetensors", build("smsanet", {"width": 4, "attention_where": (4,)}))
    (place / "broken.safetensors").write_bytes(b"no weights")
    yield place
    store.release()
    WORKBENCH.clear()


def test_only_styles_are_found_and_told() -> None:
    assert [style.name for style in styles.installed()] == ["My dog"]
    (row,) = announce_styles(styles.facts())
    assert (row["id"], row["task"], row["installed"]) == ("style/My dog", "layer", True)
    assert row["title"] == "The style My dog, taught on 4 frames, 2026-11-21"


def test_why_other_files_are_no_styles(folder: Path) -> None:
    _, flaws = styles.look()
    assert sorted(flaws) == ["style/broken", "style/grey"]
    assert flaws["style/grey"].startswith(f"{folder / 'grey.safetensors'} is no style: it holds no")
    assert all(flaw.endswith("or take the file away)") for flaw in flaws.values())


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("[]", ""),
        ("7", ""),
        ('{"style": null}', ""),
        ('{"style": [1]}', ""),
        ('{"style": {"frames": true, "date": 3}}', ""),
        ('{"style": {"frames": -1, "date": "\\ud800"}}', ""),
        ('{"style": {"frames": 1' + "0" * 4000 + "}}", ""),
        (
            '{"style": {"frames": 2, "date": "2026-11-21T10:00"}}',
            ", taught on 2 frames, 2026-11-21",
        ),
        ("{", None),
        ("[" * 100_000, None),
        ('{"style": {"frames": 1' + "0" * 5000 + "}}", None),
    ],
)
def test_what_a_foreign_file_says_of_itself_spoils_nothing(
    folder: Path, extra: str, said: str | None
) -> None:
    metadata = {"nuri.architecture": "matching", "nuri.extra": extra}
    save_file({"x": torch.zeros(1)}, folder / "odd.safetensors", metadata)
    titles = {style: told["title"] for style, told in styles.facts().items()}
    assert titles.pop("style/My dog") == "The style My dog, taught on 4 frames, 2026-11-21"
    assert titles == ({} if said is None else {"style/odd": f"The style odd{said}"})
    rows = announce_styles(styles.facts())
    assert packb(rows)  # as it travels to every client


def test_what_is_no_file_is_no_style(folder: Path) -> None:
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "folder.safetensors").mkdir()
    (folder / "nowhere.safetensors").symlink_to(folder / "none")
    assert [style.name for style in styles.installed()] == ["My dog"]
    with pytest.raises(NuriError, match="there is no style 'pipe'"):
        store.load("style/pipe")


def test_a_style_is_another_network_and_follows_its_file(folder: Path) -> None:
    first = store.load("style/My dog")
    assert store.load("style/My dog") is first
    assert store.load("matching") is not first
    save_model(folder / "My dog.safetensors", build("matching", {**SMALL_MATCHER, "layers": 2}))
    assert store.load("style/My dog") is not first


def test_the_revision_of_a_style_is_that_of_its_weights(folder: Path) -> None:
    path = folder / "My dog.safetensors"
    first = styles.facts()["style/My dog"]["revision"]
    os.utime(path, (1, 1))  # as when it was copied
    assert styles.facts()["style/My dog"]["revision"] == first != ""
    torch.manual_seed(2)
    facts = {"style": {"frames": 4, "date": "2026-11-21"}}
    save_model(path, build("matching", SMALL_MATCHER), facts)
    second = styles.facts()["style/My dog"]
    assert second["title"] == "The style My dog, taught on 4 frames, 2026-11-21"
    assert second["revision"] not in ("", first)


@pytest.mark.parametrize("name", ["cat", "../weights/matching", "broken", "grey"])
def test_what_is_no_style_is_refused(name: str) -> None:
    with pytest.raises(NuriError) as error:
        store.load(f"style/{name}")
    assert error.value.code is ErrorCode.model_missing


def test_tasks_take_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    load = store.load
    monkeypatch.setattr(store, "load", lambda name, **how: asked.append(name) or load(name, **how))
    line, color, _ = figures.face(256)
    outcome = run(png("line", line), png("reference_0", color), model="style/My dog")
    assert outcome.outputs
    inputs = [png("key0", shots.finished(0)), png("line0", shots.line(0)), png("line", line)]
    inputs[2] = png("line", shots.line(2))
    options = {"keys": [0], "model": "style/My dog"}
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    outcome = job.run("animation", inputs, options, frame=2, facts={"time": 2}, **silent)
    assert outcome.outputs
    assert asked == ["borders", "style/My dog", "style/My dog"]
    with pytest.raises(NuriError) as error:
        run(png("line", line), png("reference_0", color), model="style/cat")
    assert error.value.code is ErrorCode.model_missing


@pytest.mark.parametrize(
    "options", ['{"dim": 1000000000}', '{"layers": "many"}', '{"dimm": 8}', "[]", "{", "[" * 5000]
)
def test_a_file_of_others_with_odd_options_is_refused_in_one_line(folder: Path, options) -> None:
    facts = {"nuri.format": "1", "nuri.architecture": "matching", "nuri.options": options}
    save_file({"weight": torch.zeros(1)}, folder / "odd.safetensors", facts)
    with pytest.raises(NuriError) as error:
        store.load("style/odd")
    assert error.value.code is ErrorCode.model_missing
    assert "odd.safetensors" in error.value.info.message
    assert "style" in error.value.info.action
