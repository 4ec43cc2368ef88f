"""Task animation: key frames once, then frame after frame; fresh networks guess, exactly."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.imaging import io, planes
from backend.tasks import job
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelFormat, Plane
from tests.backend import shots

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)

from backend.tasks import sources
from backend.weights import store
from tests.backend.weights.shelf import SMALL_MATCHER, put


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    put(folder, "matching", SMALL_MATCHER)
    return folder


@pytest.fixture(autouse=True)
def installed(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.OVERRIDE, str(shelf))


class Stream:
    """One job, frame by frame, as the worker runs it."""

    def __init__(self, *inputs: Plane, **options: Any) -> None:
        self._inputs = inputs
        self._options = {"keys": [0, shots.FRAMES - 1], **options}
        self._memory: dict[str, Any] = {}

    def frame(self, index: int, *more: Plane, **facts: Any) -> job.Outcome:
        return job.run(
            "animation",
            [*self._inputs, *more],
            self._options,
            progress=lambda fraction, stage: None,
            cancelled=lambda: False,
            frame=index,
            facts=facts,
            memory=self._memory,
        )


def line_plane(name: str, pixels: np.ndarray) -> Plane:
    return planes.to_plane(name, pixels, PixelFormat.gray8)


def keys(make=shots.coloured, pixel_format: PixelFormat = PixelFormat.rgba8) -> list[Plane]:
    """The first and the last frame with their lines."""
    given: list[Plane] = []
    for number, index in enumerate((0, shots.FRAMES - 1)):
        given.append(planes.to_plane(f"key{number}", make(index), pixel_format))
        given.append(line_plane(f"line{number}", shots.line(index)))
    return given


def pixels_of(outcome: job.Outcome, name: str = "flats") -> np.ndarray:
    (plane,) = [plane for plane in outcome.outputs if plane.name == name]
    return planes.to_array(plane)


def colours_in(flats: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.unique(flats.reshape(-1, flats.shape[2]), axis=0)}


def test_frames_take_colours_of_the_key_frames_alone() -> None:
    wanted = ["flats", "regions", "confidence", "picture"]
    stream = Stream(*keys(), outputs=wanted, lines=True)
    palette = {(*shots.RED, 255), (*shots.BLUE, 255), (255, 255, 255, 255), (0, 0, 0, 0)}
    for index in range(1, 4):
        outcome = stream.frame(index, line_plane("line", shots.line(index)))
        flats = pixels_of(outcome)
        assert flats.shape == (shots.HEIGHT, shots.WIDTH, 4)
        assert colours_in(flats) <= palette
        assert pixels_of(outcome, "confidence").shape == (shots.HEIGHT, shots.WIDTH, 1)
        assert pixels_of(outcome, "picture")[13, shots.inside(index)[0][1]].max() < 40  # ink on top
        facts = outcome.facts
        assert (facts["time"], facts["width"], facts["height"]) == (index, 96, 64)
        assert facts["coloured"] >= 2
        assert 0 <= facts["confidence"] <= 1


def test_key_frames_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.tasks import animation_job

    read = []

    def counted(*given: Any, **more: Any) -> Any:
        read.append(more["name"])
        return sources.read_source(*given, **more)

    monkeypatch.setattr(animation_job, "read_source", counted)
    stream = Stream(*keys())
    for index in (1, 2, 3):
        stream.frame(index, line_plane("line", shots.line(index)))
    assert len(read) == 2


def test_a_blank_frame_fails_alone() -> None:
    stream = Stream(*keys())
    blank = np.full((shots.HEIGHT, shots.WIDTH), 255, np.uint8)
    outcome = stream.frame(1, line_plane("line", blank))
    assert outcome.outputs == ()
    assert outcome.facts["error"]["code"] == "bad_input"
    assert "blank" in outcome.facts["error"]["message"]
    assert stream.frame(2, line_plane("line", shots.line(2))).outputs
    assert "no line art" in stream.frame(3).facts["error"]["message"]
    damaged = EncodedImage("line", "3.png", b"\x89PNG\r\n\x1a\n nothing")
    assert "3.png" in stream.frame(3, damaged).facts["error"]["message"]


def test_what_is_wrong_with_the_key_frames_ends_the_job() -> None:
    line = line_plane("line", shots.line(1))
    with pytest.raises(NuriError, match="no coloured frame"):
        Stream(*keys(), keys=[]).frame(1, line)
    with pytest.raises(NuriError, match="key1"):
        Stream(*keys()[:2]).frame(1, line)
    small = shots.coloured(0)[:, :90]
    wrong = [planes.to_plane("key0", small, PixelFormat.rgba8), *keys()[1:]]
    with pytest.raises(NuriError, match="90 x 64 pixels, but its lines are 96 x 64") as caught:
        Stream(*wrong).frame(1, line)
    assert caught.value.code is ErrorCode.bad_input
    with pytest.raises(NuriError, match="time"):
        Stream(*keys()).frame(1, line, time="soon")


def test_a_key_frame_without_any_area_of_colour_is_named_once() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (shots.HEIGHT, shots.WIDTH, 3), np.uint8)
    key = EncodedImage("key0", "noise.png", io.encode_png(noise))
    with pytest.raises(NuriError, match=r"^noise\.png has no area of colour") as caught:
        Stream(key, keys=[0]).frame(1, line_plane("line", shots.line(1)))
    assert caught.value.__cause__ is None


def test_without_weights_the_job_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    with pytest.raises(NuriError) as caught:
        Stream(*keys()).frame(1, line_plane("line", shots.line(1)))
    assert caught.value.code is ErrorCode.model_missing


@pytest.mark.parametrize(
    "pixel_format", [PixelFormat.bgra8, PixelFormat.rgba16, PixelFormat.cmyka8, PixelFormat.rgbaf32]
)
def test_colours_go_back_bit_for_bit(pixel_format: PixelFormat) -> None:
    """Each paint has exactly one value in the artist's format, and that is what comes back."""
    dtype, channels = planes.dtype_of(pixel_format), pixel_format.channels
    top = 1 if dtype.kind == "f" else np.iinfo(dtype).max
    generator = np.random.default_rng(3)
    native = {}
    for colour in (shots.RED, shots.BLUE, (255, 255, 255)):
        native[colour] = (generator.random(channels) * 0.9 * top).astype(dtype)
        native[colour][-1] = top
    given = []
    for number, index in enumerate((0, shots.FRAMES - 1)):
        rgba = shots.coloured(index)
        exact = np.zeros((*rgba.shape[:2], channels), dtype)
        for colour, value in native.items():
            exact[(rgba[..., :3] == colour).all(axis=2)] = value
        given.append(planes.to_plane(f"key{number}", rgba, PixelFormat.rgba8))
        given.append(line_plane(f"line{number}", shots.line(index)))
        given.append(planes.to_plane(f"exact{number}", exact, pixel_format))
    outcome = Stream(*given).frame(2, line_plane("line", shots.line(2)))
    flats = pixels_of(outcome)
    assert outcome.outputs[0].format is pixel_format
    wanted = {value.tobytes() for value in native.values()} | {bytes(pixel_format.bytes_per_pixel)}
    assert {np.array(colour, dtype).tobytes() for colour in colours_in(flats)} <= wanted


def test_open_ground_stays_open() -> None:
    stream = Stream(*keys(lambda index: shots.coloured(index, ground=0)))
    flats = pixels_of(stream.frame(2, line_plane("line", shots.line(2))))
    assert (255, 255, 255, 255) not in colours_in(flats)


def dots(index: int) -> np.ndarray:
    """(H, W, 4): a dot of colour in each box, and nothing else."""
    pixels = np.zeros((shots.HEIGHT, shots.WIDTH, 4), np.uint8)
    for (row, column), colour in zip(shots.inside(index), (shots.RED, shots.BLUE), strict=True):
        pixels[row - 3 : row + 4, column - 3 : column + 4] = (*colour, 255)
    return pixels


def test_key_frames_may_have_mere_hints_of_their_colours() -> None:
    stream = Stream(*keys(dots), outputs=["flats"])
    own = stream.frame(0, line_plane("line", shots.line(0)), time=0)
    flats = pixels_of(own)
    left, right = shots.inside(0)
    for place, colour in ((left, shots.RED), (right, shots.BLUE)):
        assert flats[place].tolist() == [*colour, 255]
        assert flats[place[0] - 14, place[1] - 8].tolist() == [*colour, 255]  # to the ends
    outcome = stream.frame(1, line_plane("line", shots.line(2)), time=2)
    palette = {(*shots.RED, 255), (*shots.BLUE, 255), (255, 255, 255, 255), (0, 0, 0, 0)}
    assert colours_in(pixels_of(outcome)) <= palette


def test_a_painted_key_frame_is_its_own_answer() -> None:
    stream = Stream(*keys())
    outcome = stream.frame(0, line_plane("line", shots.line(0)), time=0)
    assert outcome.outputs == ()
    assert outcome.facts == {"time": 0, "painted": True}
    open_ground = Stream(*keys(lambda index: shots.coloured(index, ground=0)))
    outcome = open_ground.frame(0, line_plane("line", shots.line(0)), time=0)
    assert outcome.facts["painted"]


def test_a_painted_shot_is_refined_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put(tmp_path, "video", {"width": 4, "blocks": 1})
    put(tmp_path, "video_refinement", {"width": 4})
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))

    def second_frame() -> np.ndarray:
        stream = Stream(*keys(), model="video", soft=True)
        return [pixels_of(stream.frame(n, line_plane("line", shots.line(n)))) for n in (1, 2)][1]

    refined = second_frame()
    (tmp_path / "video_refinement.safetensors").unlink()
    assert (second_frame() != refined).any()


def test_one_key_frame_that_shows_its_lines_is_enough() -> None:
    """In the other they may be blurred."""
    given = keys(
        lambda index: shots.finished(index) if index else shots.coloured(index)[..., :3],
        PixelFormat.rgb8,
    )
    outcome = Stream(*given, outputs=["picture"]).frame(
        2, line_plane("line", shots.line(2)), time=2
    )
    assert (pixels_of(outcome, "picture")[shots.line(2) == 0][:, :3] == 0).all()


def faded(index: int) -> np.ndarray:
    """A coloured frame, darker to the right."""
    frame = shots.coloured(index).copy()
    fade = 1 - 0.4 * np.arange(shots.WIDTH) / shots.WIDTH
    ground = (frame[..., :3] >= 250).all(axis=2) | (frame[..., 3] == 0)
    shaded = np.rint(frame[..., :3] * fade[None, :, None]).astype(np.uint8)
    frame[..., :3] = np.where(ground[..., None], frame[..., :3], shaded)
    return frame


def test_soft_frames_have_the_shading_of_their_key_frames() -> None:
    line = line_plane("line", shots.line(1))
    (row, column), *_ = shots.inside(1)
    for pixel_format in (PixelFormat.rgba8, PixelFormat.bgra8):
        flat, soft = (
            pixels_of(Stream(*keys(faded, pixel_format), soft=soft).frame(1, line))
            for soft in (False, True)
        )
        assert soft.shape == flat.shape and (soft[..., 3] == flat[..., 3]).all()
        around = np.s_[row - 5 : row + 6, column - 5 : column + 6]
        assert len(colours_in(flat[around])) <= 2 < len(colours_in(soft[around]))


def test_soft_frames_are_8_bit_rgb() -> None:
    exact = [planes.to_plane("exact0", np.ones((64, 96, 5), np.uint8), PixelFormat.cmyka8)]
    with pytest.raises(NuriError, match="soft colours cannot have the format cmyka8") as caught:
        Stream(*keys(), *exact, soft=True).frame(1, line_plane("line", shots.line(1)))
    assert caught.value.code is ErrorCode.unsupported
