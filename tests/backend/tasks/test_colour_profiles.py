"""Results carry the profile of what they were coloured by, and references follow into it."""

from __future__ import annotations

import io as standard_io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="references and grey paintings need PyTorch")

from backend.imaging import icc, io, planes
from backend.tasks import job
from backend.tasks.request import Outcome
from protocol.pixels import EncodedImage, PixelFormat, Plane
from tests.backend import drawings, figures
from tests.backend.imaging.profiles import BROKEN, SRGB, WIDE

PICTURE = {"outputs": ["flats"], "encode": "png"}
LINE, COLOR, PARTS = figures.face(256)


def file(name: str, pixels: np.ndarray, kind: str = "png", profile: bytes = b"") -> EncodedImage:
    stream = standard_io.BytesIO()
    options = {"quality": 98, "subsampling": 0} if kind == "jpeg" else {}
    if kind == "webp":
        options = {"lossless": True, "exact": True}
    Image.fromarray(pixels).save(stream, kind, icc_profile=profile or None, **options)
    return EncodedImage(name, f"{name}.{kind}", stream.getvalue())


def run(task: str, *inputs: Plane, **options: object) -> Outcome:
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run(task, inputs, {**PICTURE, **options}, **silent)


def read(outcome: Outcome) -> io.Picture:
    return io.read_picture(outcome.outputs[0].data, "result.png")


def flat(picture: np.ndarray) -> np.ndarray:
    """The colours well inside hair, skin and shirt."""
    return picture[[40, 140, 240], [115, 115, 115], :3].astype(int)


def one_dot(color: tuple[int, ...]) -> np.ndarray:
    hints = np.zeros((*LINE.shape, 4), np.uint8)
    hints[136:144, 111:119] = (*color, 255)
    return hints


def in_wide(pixels: np.ndarray) -> np.ndarray:
    convert = icc.conversion(b"", WIDE)
    assert convert
    return convert(pixels)


@pytest.mark.parametrize("task", ["flats", "layer"])
@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_the_profile_of_the_hints_stays_with_the_picture(task: str, kind: str):
    hints = file("hints", drawings.hints(), kind, WIDE)
    for output in ("flats", "picture"):
        outcome = run(task, file("line", drawings.line()), hints, outputs=[output])
        found = read(outcome)
        assert found.icc == WIDE
        assert drawings.is_coloured(found.pixels)
        assert outcome.info["warnings"] == []


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_the_first_reference_gives_the_profile_and_the_others_follow(kind: str):
    reference = file("reference_0", in_wide(COLOR), kind, WIDE)
    alone = read(run("layer", file("line", LINE), reference))
    assert alone.icc == WIDE
    assert np.abs(flat(alone.pixels) - flat(in_wide(COLOR))).max() <= (3 if kind == "jpeg" else 0)
    both = read(run("layer", file("line", LINE), reference, file("reference_1", COLOR)))
    assert both.icc == WIDE
    # both show the same colours, so that they have one palette
    assert np.abs(flat(both.pixels) - flat(in_wide(COLOR))).max() <= 3
    second = EncodedImage("reference_1", reference.file_name, reference.data)
    other = read(run("layer", file("line", LINE), file("reference_0", COLOR), second))
    assert other.icc == b""
    assert np.abs(flat(other.pixels) - flat(COLOR)).max() <= 3


@pytest.mark.parametrize("profile", [b"", SRGB])
def test_references_come_into_the_profile_of_the_hints(profile: bytes):
    green = (10, 250, 20)
    inputs = file("line", LINE), file("reference_0", COLOR, profile=profile)
    found = read(run("layer", *inputs, file("hints", one_dot(green), profile=WIDE)))
    assert found.icc == WIDE
    hair, skin, shirt = flat(found.pixels).tolist()
    assert skin == list(green)
    assert [hair, shirt] == flat(in_wide(COLOR))[[0, 2]].tolist()
    # without a profile of the hints nothing is converted, and the same reference serves again
    plain = read(run("layer", *inputs, file("hints", one_dot(green))))
    assert (plain.icc, flat(plain.pixels)[0].tolist()) == (b"", list(figures.HAIR))


def test_hints_and_pixels_without_a_profile_are_srgb():
    reference = file("reference_0", in_wide(COLOR), profile=WIDE)
    hints = file("hints", one_dot((10, 250, 20)))
    found = read(run("layer", file("line", LINE), reference, hints))
    assert found.icc == b""
    assert np.abs(flat(found.pixels)[[0, 2]] - flat(COLOR)[[0, 2]]).max() <= 2
    (plane,) = run("layer", file("line", LINE), reference, encode="").outputs
    assert plane.format is PixelFormat.rgba8
    assert np.abs(flat(planes.to_array(plane)) - flat(COLOR)).max() <= 2


def test_each_broken_profile_is_told_once():
    inputs = (
        file("line", LINE),
        file("hints", one_dot((10, 250, 20)), profile=BROKEN),
        file("reference_0", COLOR, "tiff", BROKEN),
    )
    for _ in range(2):  # the second time the reference is known
        outcome = run("layer", *inputs)
        assert read(outcome).icc == b""
        said = [warning for warning in outcome.info["warnings"] if "broken" in warning]
        assert [warning.split()[0] for warning in said] == ["hints.png", "reference_0.tiff"]
    outcome = run("flats", *inputs[:2])
    assert ["broken" in warning for warning in outcome.info["warnings"]] == [True]


def test_colours_that_cannot_be_converted_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: bytes) -> None:
        raise ValueError

    monkeypatch.setattr(icc, "conversion", refuse)
    outcome = run("layer", file("line", LINE), file("reference_0", COLOR))
    (warning,) = outcome.info["warnings"]
    assert "reference_0.png could not be converted" in warning
    assert flat(read(outcome).pixels).tolist() == flat(COLOR).tolist()


@pytest.mark.parametrize(("kind", "is_grey"), [("jpeg", True), ("png", True), ("tiff", False)])
def test_a_grey_painting_keeps_its_profile(kind: str, is_grey: bool):
    grey = np.tile(np.arange(64, dtype=np.uint8) * 3 + 20, (48, 1))
    picture = grey if is_grey else np.dstack([grey] * 3)
    outcome = run("greyscale", file("picture", picture, kind, WIDE))
    assert read(outcome).icc == WIDE
    assert outcome.info["warnings"] == []
    plain, broken = (run("greyscale", file("picture", picture, kind, one)) for one in (b"", BROKEN))
    assert (read(plain).icc, read(broken).icc) == (b"", b"")
    assert plain.outputs[0].data == broken.outputs[0].data
    assert np.array_equal(read(plain).pixels, read(outcome).pixels)
    assert [len(one.info["warnings"]) for one in (plain, broken)] == [0, 1]
