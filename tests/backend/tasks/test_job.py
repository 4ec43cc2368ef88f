from __future__ import annotations

import itertools

import numpy as np
import pytest

from backend.imaging import io, planes
from backend.tasks import job
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat, Plane
from tests.backend import drawings
from tests.backend.drawings import BLUE, LEFT, MIDDLE, OUTSIDE, RED, RIGHT
from tests.backend.imaging import files

ALL_OUTPUTS = ["flats", "regions", "picture"]


def run(*inputs: Plane, **options: object) -> tuple[dict[str, Plane], dict]:
    outcome = job.run(
        "flats", inputs, options, progress=lambda fraction, stage: None, cancelled=lambda: False
    )
    return {plane.name: plane for plane in outcome.outputs}, outcome.info


def line_plane(pixels: np.ndarray | None = None) -> PixelBuffer:
    return planes.to_plane("line", drawings.line() if pixels is None else pixels, PixelFormat.gray8)


def hint_plane(pixels: np.ndarray | None = None) -> PixelBuffer:
    pixels = drawings.hints() if pixels is None else pixels
    return planes.to_plane("hints", pixels, PixelFormat.rgba8)


def file_plane(name: str, pixels: np.ndarray, file_name: str = "") -> EncodedImage:
    return EncodedImage(name, file_name or f"{name}.png", io.encode_png(pixels))


def test_files_in_files_out():
    outputs, info = run(
        file_plane("line", drawings.line()),
        file_plane("hints", drawings.hints()),
        outputs=ALL_OUTPUTS,
        encode="png",
    )
    picture = io.read_image(outputs["picture"].data, "picture.png")
    assert drawings.is_coloured(picture)
    assert picture[10, 60].max() < 30  # the line is over the colours
    flats = io.read_image(outputs["flats"].data, "flats.png")
    assert flats[LEFT].tolist() == [*RED, 255]
    assert flats[RIGHT][3] == 0
    regions = io.read_image(outputs["regions"].data, "regions.png")
    assert regions.dtype == np.uint16
    assert len({int(regions[p]) for p in (LEFT, MIDDLE, RIGHT)} - {0}) == 3
    assert (info["width"], info["height"]) == (drawings.WIDTH, drawings.HEIGHT)
    assert (info["coloured"], info["unhinted"]) == (2, info["regions"] - 2)
    owners = {tuple(entry["colour"]): entry["regions"] for entry in info["palette"]}
    assert owners == {(*RED, 255): [int(regions[LEFT])], (*BLUE, 255): [int(regions[MIDDLE])]}


def test_an_error_is_not_its_own_cause():
    """Who looks through the causes of an error comes to an end."""
    asked = itertools.count()
    with pytest.raises(NuriError) as caught:
        job.run(
            "flats",
            [line_plane(), hint_plane()],
            {},
            progress=lambda fraction, stage: None,
            cancelled=lambda: next(asked) > 2,  # first asked twice before anything is coloured
        )
    assert caught.value.code is ErrorCode.cancelled
    assert caught.value.__cause__ is None


def test_buffers_in_buffers_out():
    outputs, _ = run(line_plane(), hint_plane(), outputs=ALL_OUTPUTS)
    assert outputs["flats"].format is PixelFormat.rgba8
    assert outputs["regions"].format is PixelFormat.index16
    assert drawings.is_coloured(planes.to_array(outputs["picture"]))


def test_without_lines_the_picture_is_transparent_where_no_colour_is():
    outputs, _ = run(line_plane(), hint_plane(), outputs=["picture"], lines=False)
    picture = planes.to_array(outputs["picture"])
    assert picture[RIGHT].tolist() == [0, 0, 0, 0]
    assert picture[OUTSIDE].tolist() == [0, 0, 0, 0]
    assert picture[LEFT].tolist() == [*RED, 255]


@pytest.mark.parametrize(
    "pixel_format", [f for f in PixelFormat if f.has_alpha], ids=lambda f: f.value
)
def test_hint_bits_come_back_in_every_format(pixel_format):
    dtype = planes.dtype_of(pixel_format)
    colour = np.random.default_rng(4).integers(1, 200, pixel_format.channels).astype(dtype)
    colour[-1] = 1 if dtype.kind == "f" else np.iinfo(dtype).max
    hints = np.zeros((drawings.HEIGHT, drawings.WIDTH, pixel_format.channels), dtype)
    hints[28:33, 18:23] = colour
    outputs, _ = run(line_plane(), planes.to_plane("hints", hints, pixel_format))
    flats = outputs["flats"]
    assert flats.format is pixel_format
    np.testing.assert_array_equal(planes.to_array(flats)[LEFT], colour)
    assert planes.to_array(flats)[RIGHT][-1] == 0


def test_hints_of_16_bit_give_a_picture_of_16_bit():
    hints = drawings.hints().astype(np.uint16) * 256 + 3
    hints[drawings.hints()[..., 3] == 0] = 0
    hints[..., 3] = np.where(hints[..., 3] > 0, 65535, 0)
    outputs, _ = run(
        file_plane("line", drawings.line()),
        file_plane("hints", hints),
        outputs=["picture"],
        encode="png",
    )
    picture = io.read_image(outputs["picture"].data, "picture.png")
    assert picture.dtype == np.uint16
    assert picture[LEFT][:3].tolist() == hints[LEFT][:3].tolist()


def test_hints_may_be_a_crop():
    crop = drawings.hints()[25:36, 15:70]
    plane = planes.to_plane("hints", crop, PixelFormat.rgba8, x=15, y=25)
    outputs, _ = run(line_plane(), plane, outputs=["picture"])
    assert drawings.is_coloured(planes.to_array(outputs["picture"]))


def test_mask_keeps_colour_inside():
    mask = np.zeros((drawings.HEIGHT, drawings.WIDTH), np.uint8)
    mask[:, :40] = 255
    outputs, _ = run(line_plane(), hint_plane(), planes.to_plane("mask", mask, PixelFormat.gray8))
    flats = planes.to_array(outputs["flats"])
    assert flats[LEFT].tolist() == [*RED, 255]
    assert flats[MIDDLE][3] == 0


def rgba_line() -> np.ndarray:
    ink = np.zeros((drawings.HEIGHT, drawings.WIDTH, 4), np.uint8)
    ink[..., 3] = 255 - drawings.line()
    return ink


def test_one_krita_file_brings_lines_and_hints():
    data = files.kra({"Hints": drawings.hints(), "Sketch": rgba_line()})
    outputs, _ = run(EncodedImage("line", "page.kra", data), outputs=["picture"])
    assert drawings.is_coloured(planes.to_array(outputs["picture"]))


def test_layers_of_a_krita_file_by_name():
    layers = {"Colours": drawings.hints(), "Noise": drawings.hints(), "Drawing": rgba_line()}
    plane = EncodedImage("line", "page.kra", files.kra(layers))
    outputs, _ = run(plane, outputs=["picture"], line_layer="Drawing", hint_layer="Colours")
    assert drawings.is_coloured(planes.to_array(outputs["picture"]))


def test_hints_of_a_krita_file_are_no_lines_when_hints_come_from_elsewhere():
    black = np.zeros_like(drawings.hints())
    black[20:40, 18] = (0, 0, 0, 255)  # a stroke of a hint that could pass for a line
    data = files.kra({"Hints": black, "Sketch": rgba_line()})
    outputs, _ = run(
        EncodedImage("line", "page.kra", data), hint_plane(), outputs=["picture"], lines=False
    )
    picture = planes.to_array(outputs["picture"])
    assert picture[22, 16].tolist() == picture[22, 20].tolist() == [*RED, 255]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((hint_plane(),), "there is no line art"),
        ((line_plane(),), "there are no hints for the line layer"),
        ((file_plane("line", drawings.line(), "a.png"),), "there are no hints for a.png"),
        (
            (file_plane("line", drawings.line(), "a.png"), file_plane("hints", drawings.line())),
            "hints.png has no transparency",
        ),
        (
            (
                file_plane("line", drawings.line(), "a.png"),
                file_plane("hints", drawings.hints()[:30]),
            ),
            "hints.png is 120 x 30 pixels, but a.png is 120 x 60 (Save the hints at 120 x 60",
        ),
        (
            (line_plane(), hint_plane(np.zeros_like(drawings.hints()))),
            "the hint layer (hints) is empty: there are no hints",
        ),
        (
            (line_plane(np.full((60, 120), 255, np.uint8)), hint_plane()),
            "the line art is blank",
        ),
        ((EncodedImage("line", "a.kra", files.kra({"Paint": rgba_line()})),), "no hint layer"),
        ((EncodedImage("line", "a.png", b"no picture"), hint_plane()), "a.png is no picture"),
    ],
)
def test_bad_inputs_name_what_is_wrong_and_the_remedy(inputs, words):
    with pytest.raises(NuriError) as caught:
        run(*inputs)
    assert words in str(caught.value)
    assert caught.value.info.action
    assert "\n" not in str(caught.value)


def test_missing_layers_of_a_krita_file():
    plane = EncodedImage(
        "line", "a.kra", files.kra({"Hints": drawings.hints(), "Ink": rgba_line()})
    )
    for option in ("line_layer", "hint_layer"):
        with pytest.raises(NuriError, match=r"a\.kra has no layer 'None'.*'Hints', 'Ink'"):
            run(plane, **{option: "None"})


@pytest.mark.parametrize(
    "options",
    [{"outputs": ["nothing"]}, {"outputs": "flats"}, {"encode": "gif"}, {"lines": "yes"}],
    ids=str,
)
def test_wrong_options_are_refused(options):
    with pytest.raises(NuriError) as caught:
        run(line_plane(), hint_plane(), **options)
    assert caught.value.code is ErrorCode.malformed


def test_unknown_task_names_those_there_are():
    with pytest.raises(NuriError, match=r"no task 'magic' \(Tasks of this backend: layer"):
        job.run("magic", (), {}, progress=lambda f, s: None, cancelled=lambda: False)


def test_one_pixel_is_a_blank_drawing():
    hint = hint_plane(np.array([[[1, 2, 3, 255]]], np.uint8))
    with pytest.raises(NuriError, match="the line art is blank"):
        run(line_plane(np.full((1, 1), 128, np.uint8)), hint)


def test_a_strip_one_pixel_high():
    pixels = np.full((1, 40), 255, np.uint8)
    pixels[0, 20] = 0
    dots = np.zeros((1, 40, 4), np.uint8)
    dots[0, 5:9] = (1, 2, 3, 255)
    outputs, info = run(line_plane(pixels), hint_plane(dots))
    assert planes.to_array(outputs["flats"])[0, 7].tolist() == [1, 2, 3, 255]
    assert (info["width"], info["height"]) == (40, 1)


def test_progress_rises_to_the_end_and_names_stages():
    heard: list[tuple[float, str]] = []
    job.run(
        "flats",
        (line_plane(), hint_plane()),
        {},
        progress=lambda fraction, stage: heard.append((fraction, stage)),
        cancelled=lambda: False,
    )
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert all(stage for _, stage in heard)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_cancelled_jobs_stop(after):
    asked = iter([False] * after)
    with pytest.raises(NuriError) as caught:
        job.run(
            "flats",
            (line_plane(), hint_plane()),
            {},
            progress=lambda fraction, stage: None,
            cancelled=lambda: next(asked, True),
        )
    assert caught.value.code is ErrorCode.cancelled


def test_many_regions_are_numbered_beyond_16_bit():
    # Every second pixel in both directions is a region of its own: 300 x 300 of them.
    from backend.tasks.drawing_outputs import pack_regions

    regions = np.arange(90_000, dtype=np.int32).reshape(300, 300)
    plain = pack_regions(regions, "")
    assert plain.format is PixelFormat.index32
    np.testing.assert_array_equal(planes.to_array(plain)[..., 0], regions)
    packed = io.read_image(pack_regions(regions, "png").data, "regions.png").astype(np.int64)
    number = packed[..., 0] << 16 | packed[..., 1] << 8 | packed[..., 2]
    np.testing.assert_array_equal(number, regions)


def test_warming_up_runs_every_task_once(monkeypatch):
    from backend.tasks import flats_job

    done = []
    real = flats_job.run_flats
    monkeypatch.setattr(flats_job, "run_flats", lambda request: done.append(real(request)))
    job.warm_up()
    assert done
    # Two hints share one region, which is what compiles the last of the machine code.
    assert all(len(outcome.info["palette"]) == 2 for outcome in done)
