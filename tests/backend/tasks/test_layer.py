"""Task layer with the trained matcher: references, hints for some regions, both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the region matcher needs PyTorch")

from backend.imaging import io, planes
from backend.regions.describe import closed_areas, figure_box
from backend.tasks import job
from backend.tasks.canvas import read_canvas
from backend.tasks.layer import colour_layer
from backend.tasks.matcher import colour_from_sources
from backend.tasks.sources import facing, read_source, view_of
from backend.tasks.workbench import WORKBENCH
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelFormat
from tests.backend import drawings, figures
from tests.backend.weights.shelf import lend

HINT = 4  # half the side of a dot


def dots(parts: np.ndarray, wanted: dict[tuple[int, int], tuple[int, ...]]) -> np.ndarray:
    hints = np.zeros((*parts.shape, 4), np.uint8)
    for (row, column), colour in wanted.items():
        hints[row - HINT : row + HINT, column - HINT : column + HINT] = (*colour, 255)
    return hints


def run(*inputs, task: str = "layer", **options):
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run(task, inputs, options, **silent)


def png(name: str, pixels: np.ndarray) -> EncodedImage:
    return EncodedImage(name, f"{name}.png", io.encode_png(pixels))


def test_the_same_drawing_as_reference_gives_every_colour_exactly():
    line, color, _ = figures.face()
    result = colour_from_sources(line, [read_source(color)])
    assert figures.share_right(result.flats, color, line) > 0.995
    assert result.confidence.shape == result.region_palette.shape
    assert ((result.confidence >= 0) & (result.confidence <= 1)).all()


def test_a_mirrored_and_shrunk_reference_and_another_pose():
    line, color, _ = figures.face(shift=0.05, smile=0.03)
    reference = np.full((400, 500, 3), 255, np.uint8)
    reference[40:360, 60:380] = figures.face(320)[1][:, ::-1]
    result = colour_from_sources(line, [read_source(reference)])
    assert figures.share_right(result.flats, color, line) > 0.95


def shadowed(line: np.ndarray, color: np.ndarray) -> np.ndarray:
    """The coloured face with a shadow over its left half, no line between."""
    skin = (color == color[line.shape[0] // 2, line.shape[1] // 2]).all(-1)
    skin[:, line.shape[1] * 2 // 5 :] = False
    assert skin.sum() > 0.01 * skin.size
    return np.where(skin[..., None], color // 2 + 40, color).astype(np.uint8)


def test_a_shadow_without_a_line_comes_along_where_the_lines_agree():
    line, color, _ = figures.face()
    truth = shadowed(line, color)
    moved, lines = (np.roll(picture, (6, -9), (0, 1)) for picture in (truth, line))
    # a finished picture, and a key frame whose lines are known
    for source in (read_source(moved), read_source(moved, lines)):
        result = colour_from_sources(line, [source])
        assert figures.share_right(result.flats, truth, line) > 0.98
        assert result.confidence.shape == result.region_palette.shape


def test_what_lines_close_in_the_reference_is_no_part_of_a_larger_region():
    line, _, parts = figures.face()
    other, color, _ = figures.face()
    # the drawing has its eyes shut: their outlines are not there
    shut = np.where(cv2.dilate((parts == 4).astype(np.uint8), np.ones((15, 15))) > 0, 255, line)
    for source in (read_source(color), read_source(color, other)):
        result = colour_from_sources(shut.astype(np.uint8), [source])
        at = parts == 4
        assert (result.flats[at][:, :3] == figures.SKIN).all(axis=1).mean() > 0.98


def test_any_size_gives_the_same_colours():
    source = read_source(figures.face()[1])
    for size in (96, 700, 2500):
        line, color, _ = figures.face(size)
        result = colour_from_sources(line, [source])
        assert figures.share_right(result.flats, color, line) > 0.98


def test_hints_decide_over_references():
    line, color, parts = figures.face()
    green = (10, 250, 20)
    hints = dots(parts, {(280, 230): green})  # on the skin
    result = colour_from_sources(line, [read_source(color)], hints=hints)
    skin = (parts == 1) & (line == 255)
    assert (result.flats[skin][:, :3] == green).all(axis=1).mean() > 0.98
    others = (parts != 1) & (line == 255)
    assert (result.flats[others][:, :3] == color[others]).all(axis=1).mean() > 0.98


def test_one_eye_hinted_colours_the_other():
    line, _, parts = figures.face()
    hints = dots(
        parts,
        {
            (215, 189): figures.EYE,
            (280, 230): figures.SKIN,
            (80, 230): figures.HAIR,
            (480, 230): figures.SHIRT,
            (20, 20): figures.WHITE,
        },
    )
    flats = colour_from_sources(line, [], hints=hints).flats
    assert tuple(flats[215, 271][:3].tolist()) == figures.EYE


def test_another_hint_changes_nothing_that_the_network_sees_of_the_lines(monkeypatch):
    line, _, parts = figures.face()
    known = {(280, 230): figures.SKIN, (20, 20): figures.WHITE}
    matcher, seen = store.load("matching"), []
    pyramid = matcher.pyramid
    monkeypatch.setattr(matcher, "pyramid", lambda picture: seen.append(1) or pyramid(picture))

    def colours(canvas, *more):
        hints = dots(parts, known | dict(more))
        return colour_layer(canvas, lambda: matcher, hints=hints).flats

    canvas, edit = read_canvas(line), ((215, 189), figures.EYE)
    first = colours(canvas)
    assert len(seen) == 2  # the lines, and the lines with the colours of the hints
    edited = colours(canvas, edit)
    assert len(seen) == 3
    assert (edited != first).any()
    assert (edited == colours(read_canvas(line), edit)).all()


def test_two_references_share_one_palette():
    line, color, _ = figures.face()
    result = colour_from_sources(line, [read_source(color), read_source(figures.face(300)[1])])
    assert len(result.palette) == 5


def test_the_job_gives_flats_facts_and_a_picture_and_keeps_what_it_worked_out():
    line, color, _ = figures.face()
    WORKBENCH.clear()
    inputs = png("line", line), png("reference_0", color)
    outcome = run(*inputs, outputs=["picture", "regions"], encode="png")
    picture = io.read_image(outcome.outputs[0].data, "picture.png")
    assert np.abs(picture.astype(int) - color).max(axis=2).mean() < 1
    assert outcome.info["coloured"] >= 6
    kept = len(WORKBENCH._kept)
    run(*inputs, outputs=["flats"])
    assert len(WORKBENCH._kept) == kept == 2


def test_regions_that_are_a_guess_are_told_the_least_sure_first():
    line, _, parts = figures.face()
    hints = dots(parts, {(80, 230): figures.HAIR, (20, 20): figures.WHITE})
    given = png("line", line), planes.to_plane("hints", hints, PixelFormat.rgba8)
    outcome = run(*given, outputs=["regions"])
    regions = planes.to_array(outcome.outputs[0])[..., 0]
    eyes = {int(regions[215, 189]), int(regions[215, 271])}
    confidence = colour_from_sources(line, [], hints=hints).confidence
    assert len(eyes) == 2
    assert outcome.info["doubtful"] == sorted(eyes, key=lambda region: confidence[region])


def test_blue_first_hints_come_back_blue_first():
    line, color, parts = figures.face()
    hints = dots(parts, {(280, 230): (1, 2, 250)})[..., [2, 1, 0, 3]]
    buffers = planes.to_plane("hints", hints, PixelFormat.bgra8), png("reference_0", color)
    (flats,) = run(png("line", line), *buffers).outputs
    pixels = planes.to_array(flats)
    assert flats.format is PixelFormat.bgra8
    assert pixels[280, 230].tolist() == [250, 2, 1, 255]
    assert pixels[480, 230].tolist() == [*figures.SHIRT[::-1], 255]


def test_hints_alone_need_no_weights(tmp_path, monkeypatch):
    (tmp_path / "manifest.toml").write_text("")
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    inputs = png("line", drawings.line()), png("hints", drawings.hints())
    outcome = run(*inputs, outputs=["picture"], encode="png")
    assert drawings.is_coloured(io.read_image(outcome.outputs[0].data, "picture.png"))
    (warning,) = [each for each in outcome.info["warnings"] if "without a hint stay" in each]
    assert warning.startswith("there are no trained weights for 'matching'")
    painted = run(*inputs, outputs=["picture"], encode="png", model="aaldc").info["warnings"]
    assert any(each.startswith("there are no trained weights for 'aaldc'") for each in painted)
    with pytest.raises(NuriError) as caught:
        run(png("line", figures.face()[0]), png("reference_0", figures.face()[1]))
    assert caught.value.code is ErrorCode.model_missing


def test_without_the_border_finder_the_lines_alone_tell_and_that_is_said(tmp_path, monkeypatch):
    lend(tmp_path, "matching")
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    inputs = png("line", drawings.line()), png("hints", drawings.hints())
    outcome = run(*inputs, outputs=["picture"], encode="png")
    assert drawings.is_coloured(io.read_image(outcome.outputs[0].data, "picture.png"))
    (warning,) = outcome.info["warnings"]
    assert "border finder" in warning and "missing" in warning


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((png("line", figures.face()[0]),), "there are no hints for line.png"),
        (
            (png("line", np.full((90, 90), 255, np.uint8)), png("reference_0", figures.face()[1])),
            "line.png: the line art is blank",
        ),
        (
            (png("line", figures.face()[0]), EncodedImage("reference_0", "r.png", b"nothing")),
            "r.png is no picture",
        ),
        (
            (png("line", figures.face()[0]), png("reference_0", np.zeros((1, 1, 3), np.uint8))),
            "reference_0.png has no area of colour",
        ),
    ],
)
def test_bad_inputs_are_named(inputs, words):
    with pytest.raises(NuriError) as caught:
        run(*inputs)
    assert words in str(caught.value)
    assert caught.value.info.action


def test_colours_without_common_ground_are_refused():
    line, color, _ = figures.face()
    hints = np.zeros((*line.shape, 5), np.uint8)
    hints[100:110, 100:110] = 255
    with pytest.raises(NuriError) as caught:
        run(
            png("line", line),
            planes.to_plane("hints", hints, PixelFormat.cmyka8),
            png("reference_0", color),
        )
    assert caught.value.code is ErrorCode.unsupported


def test_cancel():
    line, color, _ = figures.face()
    with pytest.raises(NuriError) as caught:
        colour_from_sources(line, [read_source(color)], cancelled=lambda: True)
    assert caught.value.code is ErrorCode.cancelled


def test_a_key_frame_whose_ground_is_several_chambers_is_seen_like_its_lines():
    line = np.full((512, 512), 255, np.uint8)
    cv2.ellipse(line, (256, 256), (245, 150), 0, 0, 360, 0, 5, cv2.LINE_AA)
    cv2.ellipse(line, (180, 256), (40, 60), 0, 0, 360, 0, 5, cv2.LINE_AA)
    color = np.full((512, 512, 3), 255, np.uint8)
    cv2.ellipse(color, (256, 256), (245, 150), 0, 0, 360, figures.SKIN, -1)
    cv2.ellipse(color, (180, 256), (40, 60), 0, 0, 360, figures.SHIRT, -1)
    canvas = read_canvas(line)
    label = canvas.chambers.label
    assert figure_box(label) != figure_box(closed_areas(label))  # above and below the figure
    source, target = read_source(color, line), view_of(canvas, label)
    assert source.views[0].box == target.box
    assert (source.views[0].painting[[0, -1]] == -1).all()
    assert tuple(source.areas.palette[source.ground]) == figures.WHITE
    assert facing(target, source) is source.views[0]


def test_a_shadow_of_the_reference_that_no_line_ends_keeps_its_place_and_colour():
    line, color, _ = figures.face()
    shaded = color.copy()
    face = (color == figures.SKIN).all(-1)
    rows = np.arange(line.shape[0])[:, None]
    shaded[face & (rows > 300)] = (150, 90, 70)
    outcome = run(png("line", line), png("reference_0", shaded), outputs=["flats"], encode="png")
    flats = io.read_image(outcome.outputs[0].data, "flats.png")
    assert figures.share_right(flats, shaded, line) > 0.98
    assert outcome.info["warnings"] == []


def test_a_drawing_too_narrow_for_the_border_finder_follows_a_reference_all_the_same():
    line = np.full((20, 300), 255, np.uint8)
    cv2.rectangle(line, (10, 3), (290, 16), 0, 1)
    color = cv2.merge([line] * 3)
    color[4:16, 11:150] = (200, 30, 40)
    color[4:16, 150:290] = (20, 60, 220)
    outcome = run(png("line", line), png("reference_0", color), outputs=["flats"], encode="png")
    flats = io.read_image(outcome.outputs[0].data, "flats.png")
    shown = {tuple(colour) for colour in flats[5:15, 12:289, :3].reshape(-1, 3).tolist()}
    assert shown <= {(200, 30, 40), (20, 60, 220)}
