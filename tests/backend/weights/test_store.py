from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backend.models import precision
from backend.models.smsanet import SMSANet
from backend.weights import manifest, store
from protocol.errors import ErrorCode, NuriError

from .shelf import put

SMALL = {"width": 4, "attention_where": (4, 7)}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    store.release()
    return tmp_path


def test_a_network_comes_in_float32_and_stays(shelf: Path) -> None:
    put(shelf, "smsanet", SMALL)
    assert store.installed() == ("smsanet",)
    model = store.load("smsanet")
    assert isinstance(model, SMSANet) and not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model(torch.zeros(1, 1, 16, 24)).main.shape == (1, 2, 16, 24)
    assert store.load("smsanet") is model
    store.release()
    again = store.load("smsanet")
    assert again is not model
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


def test_a_rounded_network_is_another_one(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shelf, "smsanet", SMALL)
    monkeypatch.setenv(precision.OVERRIDE, "bf16")
    precision.bfloat16_pays.cache_clear()
    exact, rounded = store.load("smsanet"), store.load("smsanet", rounded=True)
    precision.bfloat16_pays.cache_clear()
    assert store.load("smsanet") is exact and store.load("smsanet", rounded=True) is rounded
    assert exact.exit.weight.dtype is torch.float32
    assert rounded.exit.weight.dtype is torch.bfloat16
    assert rounded(torch.zeros(1, 1, 16, 24)).main.dtype is torch.float32


def test_a_new_file_takes_the_place_of_the_loaded_one(shelf: Path) -> None:
    put(shelf, "smsanet", SMALL)
    first = store.load("smsanet").exit.weight.clone()
    put(shelf, "smsanet", SMALL, seed=1)
    assert not torch.equal(store.load("smsanet").exit.weight, first)


def refusal(identifier: str) -> str:
    with pytest.raises(NuriError) as caught:
        store.load(identifier)
    assert caught.value.code is ErrorCode.model_missing
    assert caught.value.info.action
    return caught.value.info.message


def test_what_is_not_there_is_named(shelf: Path) -> None:
    assert store.installed() == ()
    assert "'smsanet'" in refusal("smsanet")
    path = put(shelf, "smsanet", SMALL)
    path.unlink()
    assert store.installed() == ()
    assert str(path) in refusal("smsanet")


def test_a_changed_byte_is_noticed(shelf: Path) -> None:
    path = put(shelf, "smsanet", SMALL)
    store.load("smsanet")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal("smsanet")
    path.write_bytes(content[:-1])
    assert "damaged" in refusal("smsanet")


def test_flaws_of_the_files_are_told(shelf: Path) -> None:
    assert store.flaws() == []
    path, other = put(shelf, "smsanet", SMALL), put(shelf, "line_extractor", {"width": 2})
    assert store.flaws() == []
    path.unlink()
    other.write_bytes(b"x")
    first, second = sorted(store.flaws())
    assert str(other) in first and "damaged" in first
    assert str(path) in second
    (shelf / manifest.NAME).write_text("[")
    with pytest.raises(NuriError, match=manifest.NAME):
        store.flaws()


def test_another_network_than_listed_is_refused(shelf: Path) -> None:
    path = put(shelf, "smsanet", SMALL)
    listed = shelf / manifest.NAME
    text = listed.read_text().replace('network = "smsanet"', 'network = "manga"')
    listed.write_text(text)
    assert f"{path} holds no 'manga'" in refusal("smsanet")


def test_a_broken_list_is_named(shelf: Path) -> None:
    (shelf / manifest.NAME).write_text("[smsanet\n")
    assert manifest.NAME in refusal("smsanet")
    assert store.installed() == ()
    (shelf / manifest.NAME).write_text("[smsanet]\nfile = 'x'\n")
    assert "sha256" in refusal("smsanet")


def test_nothing_needs_torch_before_a_network_is_loaded(shelf: Path) -> None:
    put(shelf, "smsanet", SMALL)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from backend.weights import store\n"
        "print(store.installed())\n"
        "try: store.load('smsanet')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    first, second = done.stdout.splitlines()
    assert first == "('smsanet',)"
    assert "needs PyTorch" in second and "install.py" in second


def test_the_shipped_list_is_right() -> None:
    place = Path(store.__file__).parent
    listed = manifest.read(place)
    for entry in listed.values():
        path = place / entry.file
        assert path.stat().st_size == entry.bytes <= manifest.LARGEST
        assert path.with_suffix(".md").is_file()
    assert {path.name for path in place.glob("*.safetensors")} == {e.file for e in listed.values()}
    assert sum(entry.bytes for entry in listed.values()) <= 80 * 2**20
