"""SPEC.md is the authority: it names everything that the code has, with the same numbers."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

import protocol
from protocol import limits
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, ErrorInfo
from protocol.job_messages import CANCEL_STATES, LANES
from protocol.messages import MESSAGES, Limits, Message
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat
from protocol.version import PROTOCOL_VERSION

SPEC = (Path(protocol.__path__[0]) / "SPEC.md").read_text(encoding="utf-8")
NUMBERS = set(re.findall(r"\d+(?:\.\d+)?", SPEC))
MESSAGE_PART = SPEC[SPEC.index("## 7.") : SPEC.index("## 8.")]


def described(kind: str) -> str:
    """The text from the bold name of a message up to the next message of another paragraph."""
    start = MESSAGE_PART.index(f"**`{kind}`**")
    paragraph_end = MESSAGE_PART.find("\n\n**`", start)
    return MESSAGE_PART[start : paragraph_end if paragraph_end > 0 else None]


def described_field(kind: str, name: str) -> str:
    """The row of a field, or what is said of it up to the next one; where that refers to another
    message, what is said there."""
    text = described(kind)
    if row := re.search(rf"^\|[^|\n]*`{name}`.*$", text, re.MULTILINE):
        found = row[0]
    else:
        others = "|".join(f"`{entry.name}`" for entry in fields(MESSAGES[kind]))  # type: ignore[arg-type]
        start = text.index(f"`{name}`", text.index(f"**`{kind}`**") + len(kind) + 6)
        found = re.split(rf"{others}|\*\*`", text[start + len(name) + 2 :])[0]
    other = re.search(r"as in `(\w+)`", found)
    return described_field(other[1], name) if other else " ".join(found.split())


def wording(default: object) -> str:
    """How a default is written, as a pattern."""
    if isinstance(default, bool):
        return f"default {str(default).lower()}"
    if isinstance(default, (int, float)):
        return rf"default {default:g}(?!\.?\d)"
    if isinstance(default, str):
        return rf"default `{default}`|`{default}` \(default\)" if default else 'default `""`'
    assert default in ((), [], {}), default
    return "default (none|empty)"


def test_the_version_is_this_one_and_has_its_entry() -> None:
    assert f"version {PROTOCOL_VERSION}\n" in SPEC
    assert re.search(rf"^\| {re.escape(PROTOCOL_VERSION)} \|", SPEC, re.MULTILINE)


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_every_message_is_described_with_all_its_fields(message: type[Message]) -> None:
    text = described(message.TYPE)
    for entry in fields(message):  # type: ignore[arg-type]
        assert f"`{entry.name}`" in text, entry.name
        if entry.name in message.INFO:
            assert f"`{entry.name}` *info*" in text


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_every_default_is_written_down(message: type[Message]) -> None:
    for entry in fields(message):  # type: ignore[arg-type]
        text = described_field(message.TYPE, entry.name)
        if entry.default is MISSING and entry.default_factory is MISSING:
            assert "default" not in text, entry.name
        elif entry.default_factory is not Limits:  # whose values have a table and a test
            default = entry.default_factory() if entry.default is MISSING else entry.default
            assert re.search(wording(default), text), entry.name


def test_the_spec_describes_no_message_that_does_not_exist() -> None:
    named = set(re.findall(r"\*\*`([a-z_]+)`\*\* [CD b]", MESSAGE_PART))
    assert named == set(MESSAGES)


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.value)
def test_every_error_code_has_a_meaning_and_a_remedy(code: ErrorCode) -> None:
    row = re.search(rf"^\| `{code.value}` \| (.+) \| (.+) \|$", SPEC, re.MULTILINE)
    assert row, code
    assert all(len(part) > 5 for part in row.groups())


def test_the_spec_names_no_other_error_code() -> None:
    table = SPEC[SPEC.index("| code | meaning") : SPEC.index("## 10.")]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(ErrorCode.__members__)


@pytest.mark.parametrize("entry", fields(Limits), ids=lambda entry: entry.name)
def test_every_announced_limit_has_its_value(entry: object) -> None:
    name, default = entry.name, entry.default  # type: ignore[attr-defined]
    assert re.search(rf"^\| `{name}` \| {default} \|", SPEC, re.MULTILINE)


def test_every_number_of_the_code_is_in_the_text() -> None:
    values = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(values) > 20
    for name, value in values.items():
        if name != "COORDINATE":
            assert f"{value:g}" in NUMBERS or str(value) in NUMBERS, name


@pytest.mark.parametrize("pixel", PixelFormat, ids=lambda pixel: pixel.value)
def test_every_pixel_format_has_its_size(pixel: PixelFormat) -> None:
    row = next(
        line for line in SPEC.splitlines() if line.startswith("| `") and f"`{pixel.value}`" in line
    )
    names, channels, sizes, kinds, *_ = (part.strip() for part in row.strip("|").split("|"))
    place = names.split(" ").index(f"`{pixel.value}`")
    assert int(sizes.split(", ")[place]) == pixel.bytes_per_pixel
    kind = kinds.split(", ")
    assert kind[place if len(kind) > 1 else 0] == pixel.kind
    if pixel.kind != "uint" or not pixel.value.startswith("index"):
        assert len(channels.split(", ")) == pixel.channels
        assert channels.endswith("alpha") == pixel.has_alpha


def test_every_field_of_files_and_parts_is_named() -> None:
    for kind in (ConnectionFile, PixelBuffer, EncodedImage, ErrorInfo):
        for entry in fields(kind):
            assert f"`{entry.name}`" in SPEC or entry.name == "data", entry.name
    for word in (*LANES, *CANCEL_STATES):
        assert f"`{word}`" in SPEC
