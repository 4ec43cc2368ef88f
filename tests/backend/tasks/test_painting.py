"""Networks that paint: their colours speak for the paints of the reference they are near."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the networks need PyTorch")

import torch

from backend.imaging import planes
from backend.models.architectures import build
from backend.models.folding import inference_form
from backend.regions.describe import to_square
from backend.regions.match import network_picture
from backend.tasks import job, painting
from backend.tasks.canvas import read_canvas
from backend.tasks.layer import colour_layer
from backend.tasks.sources import read_source, view_of
from backend.tasks.voting import features_of, vote
from backend.weights import store
from protocol.errors import NuriError
from protocol.pixels import PixelBuffer, PixelFormat
from tests.backend import figures

SMALL = {"aaldc": {"width": 2, "blocks": 1}, "video": {"width": 4, "blocks": 1}}
RED, GREEN = (200, 30, 30), (30, 160, 40)


def painter(name: str) -> torch.nn.Module:
    torch.manual_seed(3)
    return inference_form(build(name, SMALL[name]).eval())


def test_each_pixel_speaks_for_the_paint_it_is_near():
    painted = np.zeros((64, 64, 3), np.float32)
    painted[:] = np.array(RED) / 255 * 0.9 + 0.05  # soft, and not quite the paint
    painted[:, 40:] = np.array(GREEN) / 255
    label = np.ones((128, 128), np.int32)
    label[:, 60:] = 2
    label[:10] = 0
    regions, pixels = painting.read_votes(painted, label, 3, np.array([RED, GREEN], np.uint8))
    assert regions.shape == (3, 2)
    assert pixels.shape == (64, 64, 2)
    assert np.allclose(pixels.sum(-1), 1, atol=1e-5)
    assert pixels[30, 10, 0] > 0.95
    assert pixels[30, 50, 1] > 0.95
    # of region 2, columns 30 to 39 of 64 are red
    assert regions[0, 0] > 0.95
    assert regions[1, 1] == pytest.approx(24 / 34, abs=0.03)
    assert not regions[2].any()


def test_no_paint_gets_no_vote():
    regions, pixels = painting.read_votes(
        np.ones((8, 8, 3), np.float32), np.ones((16, 16), np.int32), 1, np.zeros((0, 3), np.uint8)
    )
    assert (regions.shape, pixels.shape) == ((1, 0), (8, 8, 0))


@pytest.mark.parametrize("name", list(SMALL))
def test_a_drawing_is_painted_after_another(name: str):
    network = painter(name)
    assert painting.painter_of(network)
    line, color, _ = figures.face(192)
    picture = network_picture(255 - line, color)
    painted = painting.paint(network, picture, painting.encode(network, [picture]))
    assert painted.shape == (painting.SIDE, painting.SIDE, 3)
    assert ((painted >= 0) & (painted <= 1)).all()
    other = network_picture(255 - line, np.roll(color, 1, -1))
    after_other = painting.paint(network, picture, painting.encode(network, [other]))
    assert (painted != after_other).any()
    after_both = painting.paint(network, picture, painting.encode(network, [picture, other]))
    assert (after_both != painted).any()
    assert (after_both != after_other).any()


def test_references_are_encoded_once_for_a_shot():
    network = painter("video")
    encoded = []
    original = network.encode_references
    network.encode_references = lambda *planes: encoded.append(1) or original(*planes)
    color = figures.face(192)[1]
    one, two = (read_source(picture).views[0] for picture in (color, color[:, ::-1]))
    paint = painting.Painter(network).paint
    first = paint(one, [one, two])
    assert (paint(one, [one, two]) == first).all()
    assert len(encoded) == 1
    paint(one, [one])
    assert len(encoded) == 2


@pytest.mark.parametrize("name", list(SMALL))
def test_what_a_painter_decides_has_the_paints_of_the_reference_exactly(name: str):
    network = painter(name)
    line, color, _ = figures.face()
    result = colour_layer(read_canvas(line), lambda: network, sources=[read_source(color)])
    paints = {tuple(paint) for paint in read_source(color).areas.palette}
    used = result.flats[result.flats[..., 3] == 255][:, :3]
    assert {tuple(paint) for paint in np.unique(used, axis=0)} <= paints


def test_another_network_looks_at_a_source_anew():
    matcher, network = store.load("matching"), painter("video")
    line, color, _ = figures.face()
    source, canvas = read_source(color), read_canvas(line)
    target = view_of(canvas, canvas.chambers.label)
    view = source.views[0]
    before = vote(matcher, target, source, view)
    features = features_of(matcher, view)
    assert features_of(matcher, view) is features
    vote(network, target, source, view)
    again = vote(matcher, target, source, view)
    assert (again.regions == before.regions).all()
    assert (again.pixels == before.pixels).all()


def test_soft_colours_are_what_the_network_has_painted():
    network = painter("video")
    line, color, parts = figures.face()
    source, canvas = read_source(color), read_canvas(line)
    flat, soft = (
        colour_layer(canvas, lambda: network, sources=[source], soft=soft) for soft in (False, True)
    )
    view = view_of(canvas, canvas.chambers.label)
    painted = vote(network, view, source, source.views[0]).painted
    assert painted is not None
    left, top = 200, 260  # amid the skin
    assert (parts[top - 20 : top + 20, left - 20 : left + 20] == parts[top, left]).all()
    assert (soft.flats[..., 3] == flat.flats[..., 3]).all()
    assert (soft.regions == flat.regions).all()
    matrix = to_square(view.box, painting.SIDE)
    x, y = matrix @ (left, top, 1)
    near = soft.flats[top, left, :3] / 255 - painted[round(y), round(x)]
    assert np.abs(near).max() < 0.1


def test_softness_keeps_to_the_figure():
    network = painter("video")
    line, color, _ = figures.face(320)
    wide = [np.full((400, 700, *part.shape[2:]), 255, np.uint8) for part in (line, color)]
    for part, small in zip(wide, (line, color), strict=True):
        part[40:360, 360:680] = small
    flat, soft = (
        colour_layer(
            read_canvas(wide[0]), lambda: network, sources=[read_source(wide[1])], soft=soft
        )
        for soft in (False, True)
    )
    assert (soft.flats[:, :340] == flat.flats[:, :340]).all()
    assert (soft.flats[:, 360:] != flat.flats[:, 360:]).any()


@pytest.mark.parametrize("name", ["aaldc", "video"])
def test_the_shipped_painters_give_a_figure_the_paints_of_its_reference(name: str):
    line, color, _ = figures.face(shift=0.02)
    buffers = (
        planes.to_plane("line", line, PixelFormat.gray8),
        planes.to_plane("reference_0", figures.face(400)[1], PixelFormat.rgb8),
    )
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    (plane,) = job.run("layer", buffers, {"model": name}, **silent).outputs
    flats = planes.to_array(plane)
    used = {tuple(paint) for paint in np.unique(flats[flats[..., 3] > 0], axis=0)[:, :3].tolist()}
    assert used == {figures.WHITE, figures.SKIN, figures.HAIR, figures.SHIRT, figures.EYE}
    assert figures.share_right(flats, color, line) > 0.99


def hinted(
    name: str, pixel_format: PixelFormat, *more: PixelBuffer, **options: object
) -> np.ndarray:
    """RGBA flats (H, W, 4), uint8, of the face by hints on skin and shirt."""
    line, _, _ = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint8)
    hints[276:284, 226:234], hints[450:458, 226:234] = (*RED, 255), (*GREEN, 255)
    given = planes.from_rgba(hints, pixel_format)
    assert given is not None
    buffers = [
        planes.to_plane("line", line, PixelFormat.gray8),
        planes.to_plane("hints", given, pixel_format),
    ]
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    outcome = job.run("layer", [*buffers, *more], {"model": name, **options}, **silent)
    flats = planes.to_rgb(planes.to_array(outcome.outputs[0]), pixel_format)
    assert flats is not None
    return flats


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", ["aaldc", "video"])
def test_painters_see_blue_first_hints_in_their_colours(name: str, soft: bool):
    plain, turned = (
        hinted(name, order, soft=soft) for order in (PixelFormat.rgba8, PixelFormat.bgra8)
    )
    assert np.array_equal(plain, turned)


@pytest.mark.parametrize("name", ["aaldc", "video"])
def test_painters_need_hints_in_rgb(name: str):
    with pytest.raises(NuriError, match=r"format graya8, which has no common .* model 'matching'"):
        hinted(name, PixelFormat.graya8)


@pytest.mark.parametrize("with_reference", [False, True])
@pytest.mark.parametrize("name", ["aaldc", "video"])
def test_what_a_painter_shades_leaves_hints_exact(name: str, with_reference: bool):
    reference = planes.to_plane("reference_0", figures.face(400)[1], PixelFormat.rgb8)
    more = [reference] if with_reference else []
    flats = hinted(name, PixelFormat.rgba8, *more, soft=True)
    line, _, parts = figures.face()
    for part, color in ((1, RED), (3, GREEN)):
        inside = (parts == part) & (line == 255)
        assert (flats[inside] == (*color, 255)).all(axis=1).mean() > 0.98
    hair = (parts == 2) & (line == 255)
    assert len(np.unique(flats[hair], axis=0)) > 8  # where no hint has decided
