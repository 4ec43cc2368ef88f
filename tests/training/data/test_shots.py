"""Cutting films: histograms in raw counts, what is dropped, videos and frame folders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data import open_dataset, procedural
from training.data.cache import ArrayCache
from training.data.clips import ShotDataset
from training.data.films import FilmShots, FrameFolder, VideoFile, read_video
from training.data.lines import XDoGLines
from training.data.shot_sets import open_shots
from training.data.shot_sources import ShotPart
from training.data.shots import (
    BINS,
    ShotRules,
    color_histogram,
    difference,
    largest_difference,
)
from training.errors import TrainingError

from .conftest import save
from .made import split


def grainy(tone: int, count: int, seed: int, size: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    base = np.array([tone, 255 - tone, 90])
    return [
        np.clip(base + rng.normal(0, 40, (size, size, 3)), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def test_histogram_counts_every_pixel_of_the_common_size() -> None:
    histogram = color_histogram(grainy(100, 1, 0)[0], 256)
    assert histogram.shape == (BINS,) and histogram.sum() == 3 * 256 * 256


def test_difference_is_the_mean_square() -> None:
    one, two = np.zeros(BINS), np.zeros(BINS)
    two[:3] = 16
    assert difference(one, two) == pytest.approx(1.0)


def test_cut_still_and_short_shots() -> None:
    frames = grainy(40, 9, 1) + grainy(200, 3, 2) + [grainy(120, 1, 3)[0]] * 9 + grainy(60, 8, 4)
    rules = ShotRules(threshold=20_000)
    shots = split(frames, rules)
    assert [(shot[0], len(shot)) for shot in shots] == [(0, 9), (21, 8)]


def test_a_slow_change_is_no_still_shot() -> None:
    """Neighbours hardly differ, the ends do: any pair of frames counts."""
    frames = [np.full((64, 64, 3), (200, 60, 90), np.uint8) for _ in range(40)]
    for number, frame in enumerate(frames):
        frame[:, : number // 4] = (60, 200, 90)  # a column of pixels every fourth frame
    histograms = np.stack([color_histogram(frame, 64) for frame in frames])
    nearest = max(difference(a, b) for a, b in pairwise(histograms))
    farthest = difference(histograms[0], histograms[-1])
    assert largest_difference(histograms) == pytest.approx(farthest) and farthest > 4 * nearest
    rules = ShotRules(threshold=1e9, resolution=64, still=2 * nearest)
    assert split(frames, rules) == [list(range(40))]
    assert split(frames[:4] * 3, rules) == []
    assert largest_difference(np.repeat(histograms[:1], 700, 0)) < 1e-3


def test_dark_and_pale_frames_are_left_out() -> None:
    frames = grainy(40, 10, 1)
    frames[4] = np.zeros_like(frames[0])
    frames[7] = np.full_like(frames[0], 200)
    rules = ShotRules(threshold=1e9, shortest=2)
    assert split(frames, rules) == [[0, 1, 2, 3, 5, 6, 8, 9]]


def test_no_frames_no_shots() -> None:
    assert split([], ShotRules()) == []


@pytest.fixture
def film(tmp_path: Path) -> list[np.ndarray]:
    return grainy(40, 9, 1) + grainy(200, 9, 2)


def test_frame_folder(tmp_path: Path, film: list[np.ndarray]) -> None:
    paths = [save(tmp_path / "s1" / f"f{n}.png", frame) for n, frame in enumerate(film)]
    shots = FilmShots(
        "s1", [FrameFolder("s1", paths)], ShotRules(threshold=20_000), ArrayCache(tmp_path / "c")
    )
    assert len(shots) == 2 and shots.length(0) == 9
    assert (shots.load(1, [0])[0].paint == film[9]).all()


def test_damaged_frame_belongs_to_no_shot(
    tmp_path: Path, film: list[np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    paths = [save(tmp_path / "s1" / f"f{n:02d}.png", frame) for n, frame in enumerate(film)]
    paths[3].write_bytes(b"\x89PNG\r\n\x1a\n broken")
    rules = ShotRules(threshold=1e9, shortest=2)
    for _ in range(2):  # the second time it is known from the cache
        shots = FilmShots("s1", [FrameFolder("s1", paths)], rules, ArrayCache(tmp_path / "c"))
        assert shots.length(0) == 17 and caplog.text.count("f03.png") == 1
        dataset = ShotDataset(ShotPart.joined([shots]), 32, lines=XDoGLines())
        assert dataset.left_out == [f"{paths[3]} cannot be read: it belongs to no shot"]


def write_video(
    path: Path, frames: list[np.ndarray], codec: str = "mpeg4", pixels: str = "yuv420p"
) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def textured(seed: int, count: int) -> list[np.ndarray]:
    """A patch that moves over a ground, both smooth and of many tones."""
    rng = np.random.default_rng(seed)

    def texture(height: int, width: int, low: int, high: int) -> np.ndarray:
        waves = cv2.GaussianBlur(rng.normal(0, 1, (height, width, 3)), (0, 0), 8)
        return low + (high - low) * (waves - waves.min()) / np.ptp(waves)

    ground = texture(320, 480, 20 + 40 * seed, 200 + 20 * seed)
    patch = texture(120, 120, 30, 230)
    frames = []
    for number in range(count):
        frame = ground.copy()
        frame[90:210, 50 + 15 * number : 170 + 15 * number] = patch
        frames.append(np.rint(frame).astype(np.uint8))
    return frames


@pytest.fixture(scope="module")
def lossless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of nine frames: s1.mkv in a folder video/, the same pixels in folder/s1/."""
    data = tmp_path_factory.mktemp("lossless")
    frames = [frame for seed in range(3) for frame in textured(seed, 9)]
    path = data / "video" / "s1.mkv"
    write_video(path, frames, "ffv1", "bgr0")
    pairs = zip(read_video(path), frames, strict=True)
    assert all((one == other).all() for one, other in pairs)
    for number, frame in enumerate(frames):
        save(data / "folder" / "s1" / f"{number:02d}.png", frame)
    return path


@pytest.mark.parametrize("sizes", [(64, 256), (256, 64)])
def test_a_video_is_cut_as_its_frames_are_at_every_size(
    lossless: Path, sizes: tuple[int, int]
) -> None:
    """What counts is 256 squared pixels, whatever `data.size` is and whichever comes first."""
    data = lossless.parent.parent

    def found(kind: str, size: int) -> set[tuple[str, int]]:
        settings = {"size": size, "clip": 8, "seed": 0, "series": "1", "count": 1}
        parts = [open_shots(settings, data / kind, split) for split in ("train", "dev")]
        return {(part.label(i), part.length(i)) for part in parts for i in range(len(part))}

    expected = {(f"s1/{start:06d}", 9) for start in (0, 9, 18)}
    for size in sizes:
        assert found("video", size) == found("folder", size) == expected


def test_what_is_known_of_a_video_is_of_its_decoded_size(tmp_path: Path, lossless: Path) -> None:
    """Histograms of smaller frames that are in the cache are not taken for those of larger ones."""
    cache, rules = ArrayCache(tmp_path / "c"), ShotRules(threshold=200)
    with pytest.raises(TrainingError, match="no shot"):
        FilmShots("s1", [VideoFile(lossless, 64, cache)], rules, cache)
    assert len(FilmShots("s1", [VideoFile(lossless, 256, cache)], rules, cache)) == 3


def test_video_file_is_decoded_once(
    tmp_path: Path, film: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.mp4"
    write_video(path, film)
    cache = ArrayCache(tmp_path / "c")
    video = VideoFile(path, 32, cache)
    assert len(video) == 18 and video.frame(3).shape == (32, 32, 3)
    assert abs(float(video.frame(12).mean(axis=(0, 1))[0]) - 200) < 25
    monkeypatch.setattr("training.data.films.read_video", None)
    assert len(VideoFile(path, 32, cache)) == 18


def test_series_of_videos_and_folders(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    film = [picture.paint for picture in procedural.film(0, 64, scenes=2)[0]]
    write_video(tmp_path / "data" / "alpha.mp4", film)
    for n, frame in enumerate(film):
        save(tmp_path / "data" / "beta" / f"{n}.png", frame)
    settings = {"size": 32, "clip": 8, "seed": 0, "shot_threshold": 1e6, "count": 1}
    for series in ("1", "beta"):
        source = open_shots({**settings, "series": series}, tmp_path / "data", "train")
        sample = ShotDataset(source, 32, 8, fit="stretch")[0]
        assert sample["color"].shape == (8, 3, 32, 32) and "regions" not in sample
    with pytest.raises(TrainingError, match="no series 'gamma'"):
        open_shots({**settings, "series": "gamma"}, tmp_path / "data", "train")


def test_file_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match=r"broken\.mp4"):
        VideoFile(path, 32, ArrayCache(tmp_path / "c"))


def triplets(folder: Path, count: int, suffix: str = "png") -> None:
    for number in range(count):
        for frame in (1, 2, 3):
            picture = np.full((24, 40, 3), 40 * frame + number, np.uint8)
            save(folder / f"Disney_{number}" / f"frame{frame}.{suffix}", picture)


ATD = {"size": 32, "clip": 3, "seed": 0, "count": 1, "series": "atd12k"}


@pytest.mark.parametrize("inside", ["atd12k", ""])
def test_atd_12k(tmp_path: Path, inside: str) -> None:
    data = tmp_path / "data"
    triplets(data / inside / "train_10k", 6, "jpg")
    triplets(data / inside / "test_2k_540p", 4)
    (data / inside / "test_2k_annotations" / "Disney_0").mkdir(parents=True)
    train = open_dataset("shots", ATD, data, "train")
    assert train.source.name == (inside or "data") and len(train.source) == 6
    sample = train[0]
    assert sample["color"].shape == (3, 3, 32, 32) and int(sample["target"]) == 1
    assert len(open_shots(ATD, data, "dev")) == 4
    tuned = {**ATD, "finetune_shots": 1}
    labels = [
        {source.label(i) for i in range(len(source))}
        for source in (open_shots(tuned, data, split) for split in ("finetune", "dev"))
    ]
    assert [len(part) for part in labels] == [1, 3] and not labels[0] & labels[1]


def test_flat_triplets_are_shots_that_nothing_cuts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    triplets(tmp_path / "flat", 6)
    (tmp_path / "flat" / "Disney_4" / "frame2.png").unlink()
    parts = [open_shots(ATD, tmp_path / "flat", split) for split in ("train", "dev")]
    labels = {source.label(i) for source in parts for i in range(len(source))}
    assert labels == {f"Disney_{n}" for n in (0, 1, 2, 3, 5)} and "Disney_4" in caplog.text
    assert {source.length(i) for source in parts for i in range(len(source))} == {3}
    triplets(tmp_path / "many" / "second", 3)
    triplets(tmp_path / "many" / "first", 2)
    source = open_shots({**ATD, "series": "2"}, tmp_path / "many", "train")
    assert source.name == "second"


def test_folders_that_are_shots_already_are_not_cut(tmp_path: Path, film: list[np.ndarray]) -> None:
    for shot in range(4):
        for n, frame in enumerate(film):
            save(tmp_path / "s" / f"shot{shot}" / f"{n}.png", frame)
    settings = {"size": 32, "clip": 8, "seed": 0, "count": 1, "series": "1"}
    given = {**settings, "shot_threshold": 0.0}
    parts = [open_shots(given, tmp_path / "s", split) for split in ("train", "dev")]
    assert [source.length(i) for source in parts for i in range(len(source))] == [18] * 4
    cut = open_shots({**settings, "shot_threshold": 20_000.0}, tmp_path / "s", "train")
    assert [cut.length(i) for i in range(len(cut))] == [9]
