"""Samples: keys, shapes and ranges, repeatability, bad pictures, and the order of batches."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.imaging.color import IBN, ZHANG
from training.data import (
    MangaDataset,
    MonochromeDataset,
    PairedLineDataset,
    PhotoDataset,
    ShotDataset,
    collate,
    data_hash,
    make_loader,
)
from training.data.base import SampleDataset
from training.data.hints import NoHints, PixelHints
from training.data.sets import open_pairs
from training.data.shot_sources import GeneratedShots
from training.data.sources import GeneratedPictures, Monochrome
from training.errors import TrainingError

from .conftest import save

SETTINGS = {"size": 32, "count": 4, "seed": 0, "set": ""}


def within(tensor: torch.Tensor, low: float, high: float) -> bool:
    return bool(torch.isfinite(tensor).all() and tensor.min() >= low and tensor.max() <= high)


def pairs(**options: object) -> PairedLineDataset:
    return PairedLineDataset(GeneratedPictures("toon", 4, size=64), 48, **options)  # type: ignore[arg-type]


def shots(**options: object) -> ShotDataset:
    return ShotDataset(GeneratedShots(2, size=48), 32, **options)  # type: ignore[arg-type]


def pages(**options: object) -> MangaDataset:
    return MangaDataset(GeneratedPictures("page", 2, size=64), 64, scales=(2,), **options)  # type: ignore[arg-type]


def photos(**options: object) -> PhotoDataset:
    return PhotoDataset(GeneratedPictures("photo", 3, size=64), 32, **options)  # type: ignore[arg-type]


def test_pairs() -> None:
    sample = pairs()[0]
    assert sample["line"].shape == (1, 48, 48) and sample["line"].max() == 1
    for name in ("color", "reference"):
        assert sample[name].shape == (3, 48, 48) and within(sample[name], -1, 1)
    assert sample["triplet"].shape == (2, 48, 48)
    assert sample["regions"].dtype == torch.int32 and sample["regions"].shape == (48, 48)
    assert (sample["reference"] - sample["color"]).abs().mean() > 0.02


def test_reference_is_the_colour_at_the_places_of_triplet() -> None:
    sample = pairs()[1]
    again = torch.nn.functional.grid_sample(
        (sample["color"][None] + 1) / 2,
        sample["triplet"].permute(1, 2, 0)[None],
        mode="bicubic",
        padding_mode="zeros",
        align_corners=False,
    )
    assert (again[0].clamp(0, 1) * 2 - 1 - sample["reference"]).abs().max() < 1e-4


def test_without_warp_the_reference_is_the_picture() -> None:
    sample = pairs(warp=False)[0]
    assert torch.equal(sample["reference"], sample["color"])


@pytest.mark.parametrize(("codec", "low", "high"), [(IBN, -1, 1), (ZHANG, -0.5, 0.5)])
def test_photos(codec, low: float, high: float) -> None:  # type: ignore[no-untyped-def]
    sample = photos(codec=codec)[0]
    assert sample["gray"].shape == (1, 32, 32) and within(sample["gray"], low - 1e-4, high + 1e-4)
    assert sample["ab"].shape == (2, 32, 32) and within(sample["ab"], -1, 1)
    decoded = codec.decode(
        sample["gray"].permute(1, 2, 0).numpy(), sample["ab"].permute(1, 2, 0).numpy()
    )
    assert np.abs(decoded - sample["rgb"].permute(1, 2, 0).numpy()).max() < 1 / 255
    assert set(sample["saliency"].unique().tolist()) <= {0.0, 1.0}


def test_saliency_backend_is_asked_once_a_picture(tmp_path: Path) -> None:
    from training.data.cache import ArrayCache
    from training.data.sources import Entry, FilePictures

    path = save(
        tmp_path / "p.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    )
    asked = []

    def backend(rgb: torch.Tensor) -> torch.Tensor:
        asked.append(rgb.shape)
        return rgb[:, :1]

    source = FilePictures("p", [Entry("p", path)], tmp_path)
    options = {"saliency": backend, "cache": ArrayCache(tmp_path / "c")}
    dataset = PhotoDataset(source, 32, saliency_key="one", **options)
    masks = [dataset[0]["saliency"] for _ in range(3)]
    assert asked == [(1, 3, 32, 32)] and torch.equal(masks[0], masks[2])
    PhotoDataset(source, 32, saliency_key="two", **options)[0]
    assert len(asked) == 2
    cropped = PhotoDataset(source, 32, saliency_key="one", crop=True, **options)
    assert len({cropped[(epoch, 0)]["saliency"].shape for epoch in range(2)}) == 1
    assert len(asked) == 4  # parts are no maps to keep


def test_nearly_grey_photos_are_left_out(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((20, 20, 3), 120, np.uint8))
    save(tmp_path / "b.png", np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8))
    from training.data.layouts import photo_entries
    from training.data.sources import FilePictures

    source = FilePictures("p", photo_entries(tmp_path), tmp_path)
    assert PhotoDataset(source, 16, gray_threshold=5)[0]["name"] == "b"


def test_a_photo_serves_or_not_whatever_its_part(tmp_path: Path) -> None:
    wide = np.full((20, 200, 3), 120, np.uint8)
    wide[:, :30] = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "other.png", wide[:, :20])
    from training.data.layouts import photo_entries
    from training.data.sources import FilePictures

    source = FilePictures("p", photo_entries(tmp_path), tmp_path)
    dataset = PhotoDataset(source, 16, gray_threshold=5, crop=True)
    seen = [dataset[(epoch, 1)] for epoch in range(12)]
    assert {sample["name"] for sample in seen} == {"wide"}
    assert any(float(sample["ab"].abs().max()) < 0.01 for sample in seen)  # a grey part


@pytest.mark.parametrize("mode", ["window", "frame", "shot"])
def test_clips(mode: str) -> None:
    dataset = shots(mode=mode, references=3)
    sample = dataset[0]
    frames = sample["line"].shape[0]
    assert frames == (8 if mode != "shot" else dataset.source.length(0))
    assert sample["line"].shape == sample["distance"].shape == (frames, 1, 32, 32)
    assert sample["color"].shape == (frames, 3, 32, 32)
    assert within(sample["distance"], -1, 1) and sample["distance"].max() == 1
    assert sample["reference_frames"].tolist()[0] == 0
    assert sample["reference_frames"].tolist()[-1] == frames - 1
    assert torch.equal(sample["reference_color"][2], sample["color"][-1])
    assert 0 < int(sample["target"]) < frames - 1
    assert sample["regions"].shape == (frames, 32, 32)


def test_every_inner_frame_is_a_target_once() -> None:
    dataset = shots(mode="frame")
    lengths = [dataset.source.length(shot) for shot in range(2)]
    assert len(dataset) == sum(length - 2 for length in lengths)
    for epoch in range(3):
        for index in range(len(dataset)):
            frames, target = dataset._choose(*dataset._places[index], np.random.default_rng(epoch))
            assert frames[target] == dataset._places[index][1] and 0 < target < 7


def test_generated_shots_have_8_to_40_frames() -> None:
    source = GeneratedShots(300, size=32, shortest=3)
    lengths = {source.length(shot) for shot in range(300)}
    assert min(lengths) == 8 and max(lengths) == 40 and len(lengths) > 25
    longer = GeneratedShots(20, size=32, shortest=50)
    assert {longer.length(shot) for shot in range(20)} == {50}


def test_windows_cover_the_shot() -> None:
    dataset = shots(mode="window")
    seen = {(shot, start + n) for shot, start in dataset._places for n in range(8)}
    assert seen == {(s, f) for s in range(2) for f in range(dataset.source.length(s))}


def test_hue_shift_turns_the_colours_alone() -> None:
    plain, turned = shots(mode="shot")[0], shots(mode="shot", hue_shift=180)[0]
    assert torch.equal(plain["line"], turned["line"])
    assert (plain["color"] - turned["color"]).abs().mean() > 0.02
    brightest = (plain["color"].amax(1) - turned["color"].amax(1)).abs().max()
    assert brightest < 2.5 / 255  # HSV value stays


def test_pages() -> None:
    sample = pages(hints=PixelHints(sparse=1, full=0, std=0.05))[0]
    for name in ("gray", "line", "distance"):
        assert sample[name].shape == (1, 64, 64) and within(sample[name], 0, 1)
    mask = sample["hint"][3]
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(sample["hint"][:3], sample["color"] * mask)


def test_whole_pages_are_padded() -> None:
    sample = pages(crop="whole", hints=PixelHints(sparse=1, full=0, std=0.05))[0]
    height, width = sample["valid"].tolist()
    assert (height, width) == (90, 64) and sample["line"].shape == (1, 96, 64)
    assert (sample["hint"][:, height:] == 0).all() and (sample["line"][:, height:] <= 1).all()
    assert sample["regions"].shape == (96, 64)


def test_recoloured_pages_keep_their_drawing() -> None:
    options = {"crop": "centre", "flip": False, "hints": PixelHints(sparse=1, full=0, std=0.5)}
    plain, fresh = pages(**options)[0], pages(recolor=True, **options)[0]
    assert torch.equal(plain["line"], fresh["line"])
    assert (plain["color"] - fresh["color"]).abs().mean() > 0.1


def test_pages_without_hints_keep_their_colours() -> None:
    options = {"crop": "centre", "flip": False, "hints": NoHints()}
    plain, fresh = pages(**options)[0], pages(recolor=True, **options)[0]
    assert torch.equal(plain["color"], fresh["color"])


def test_pages_with_the_drawing_that_came_with_them() -> None:
    source = GeneratedPictures("toon", 1, size=64)
    options = {"crop": "whole", "flip": False, "color_shift": 0.0}
    drawn = MangaDataset(source, 64, drawn=True, **options)[0]
    line = source.load(0).drawing
    assert torch.equal(drawn["line"][0], torch.from_numpy(line.copy()) / 255)
    assert not torch.equal(drawn["line"], MangaDataset(source, 64, **options)[0]["line"])


def test_jitter_pales_the_drawing_alone() -> None:
    options = {"crop": "centre", "flip": False, "color_shift": 0.0}
    plain, pale = pages(**options), pages(line_jitter=0.3, **options)
    shares = set()
    for epoch in range(6):
        one, other = plain[(epoch, 0)], pale[(epoch, 0)]
        assert torch.equal(one["distance"], other["distance"])
        share = 1 - float(other["line"].min())
        assert 0.7 <= share <= 1 and one["line"].min() == 0
        torch.testing.assert_close(other["line"], one["line"] * share + 1 - share)
        shares.add(round(share, 3))
    assert len(shares) > 3


def test_monochrome_pages_stand_beside_other_colours() -> None:
    source = GeneratedPictures("page", 3, size=64)
    black = MangaDataset(Monochrome(source), 64, scales=(2,))
    assert "color" not in black[0] and (black[0]["hint"] == 0).all()
    sample = MonochromeDataset(black, MangaDataset(source, 64, scales=(2,)))[0]
    assert sample["color"].shape == (3, 64, 64) and sample["line"].shape == (1, 64, 64)


@pytest.mark.parametrize("make", [pairs, photos, shots, pages])
def test_samples_follow_from_seed_epoch_and_index(make: Callable[..., SampleDataset]) -> None:
    options = {"recolor": True} if make is not photos else {"crop": True, "flip": True}
    dataset = make(**options)
    copy = pickle.loads(pickle.dumps(make(**options)))
    copy[(5, 1)]  # what was asked for before does not matter
    assert same(dataset[(2, 0)], copy[(2, 0)])
    # a flip alone comes out alike half of the time
    assert not all(same(dataset[(2, 0)], dataset[(epoch, 0)]) for epoch in range(3, 10))
    seeded = make(seed=9, **options)
    assert not all(same(dataset[(epoch, 0)], seeded[(epoch, 0)]) for epoch in range(8))


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    return all(
        torch.equal(value, other[name])  # type: ignore[arg-type]
        for name, value in one.items()
        if isinstance(value, torch.Tensor)
    )


def test_a_damaged_picture_is_named_once_and_no_other_is_doubled(
    drawings: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = drawings(3)
    (folder / "color" / "d1.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    from training.data.layouts import pair_source

    dataset = PairedLineDataset(pair_source(folder, "set"), 32)
    names = [dataset[(epoch, 1)]["name"] for epoch in range(16)]
    assert set(names) == {"d0", "d2"} and caplog.text.count("d1.png") == 1
    assert names == [dataset[(epoch, 1)]["name"] for epoch in range(16)]
    assert len(dataset.check()) == 1 and caplog.text.count("d1.png") == 1
    assert "d1.png" in dataset.flaw(1) and not dataset.flaw(0)


def test_pairs_of_which_none_can_be_read_name_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    with pytest.raises(TrainingError, match=r"none of the 2 pictures.*a\.png"):
        open_pairs(SETTINGS, tmp_path, "train")


def test_check_names_what_is_wrong(drawings: Callable[..., Path]) -> None:
    folder = drawings(3)
    (folder / "line" / "d2.png").write_bytes(b"")
    save(folder / "color" / "d1.png", np.zeros((9, 9, 3), np.uint8))
    from training.data.layouts import pair_source

    found = PairedLineDataset(pair_source(folder, "set"), 32).check()
    assert len(found) == 2 and "d1.png" in found[0] and "d2.png" in found[1]


def test_set_with_nothing_left_fails_at_once(drawings: Callable[..., Path]) -> None:
    folder = drawings(2)
    for path in (folder / "color").iterdir():
        path.write_bytes(b"junk")
    from training.data.layouts import pair_source

    with pytest.raises(TrainingError, match="none of the 2 samples"):
        PairedLineDataset(pair_source(folder, "set"), 32)


def test_lines_of_pictures_without_drawings_are_recorded(tmp_path: Path) -> None:
    from training.data.sources import Entry, FilePictures

    path = save(tmp_path / "p.png", pairs()[0]["color"].permute(1, 2, 0).numpy().astype(np.uint8))
    dataset = PairedLineDataset(FilePictures("p", [Entry("p", path)], tmp_path), 32)
    # known before the first sample is made, when a run writes down what it does without
    assert dataset.degraded == ["lines=xdog: pictures without a line file"]
    assert dataset[0]["line"].shape == (1, 32, 32)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int) -> None:
    dataset = pairs(recolor=True)
    alone = list(make_loader(dataset, 2, seed=1, epoch=4, workers=0))
    others = list(make_loader(dataset, 2, seed=1, epoch=4, workers=workers))
    assert [batch["name"] for batch in alone] == [batch["name"] for batch in others]
    for one, other in zip(alone, others, strict=True):
        assert torch.equal(one["reference"], other["reference"])
    rest = list(make_loader(dataset, 2, seed=1, epoch=4, workers=0, start=1))
    assert rest[0]["name"] == alone[1]["name"] and len(rest) == 1


@pytest.mark.slow
def test_processes_change_nothing() -> None:
    dataset = pairs()
    alone = list(make_loader(dataset, 2, workers=0))
    others = list(make_loader(dataset, 2, workers=1, kind="processes"))
    for one, other in zip(alone, others, strict=True):
        assert torch.equal(one["reference"], other["reference"])


def test_too_large_a_batch_is_refused() -> None:
    with pytest.raises(TrainingError, match="fewer than a batch of 9"):
        make_loader(pairs(), 9)
    with pytest.raises(TrainingError, match="size of line"):
        collate([{"line": torch.zeros(1, 2, 2)}, {"line": torch.zeros(1, 3, 2)}])


def test_data_hash_tells_contents_apart(drawings: Callable[..., Path]) -> None:
    folder = drawings(2)
    first = data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    assert first == data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    for name in ("d0", "d1"):
        save(folder / "line" / f"{name}.png", np.full((48, 48), 200, np.uint8))
    assert first != data_hash(PairedLineDataset(open_pairs(SETTINGS, folder, "train"), 32))
    assert data_hash(pairs()).startswith("content:")
