"""What a data table means: generated, shared sets, folders of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.data import data_root, open_dataset
from training.data.cache import ArrayCache
from training.data.picture import PictureSource
from training.data.sets import (
    SETS,
    all_manga,
    open_manga,
    open_pages,
    open_pairs,
    open_photos,
)
from training.data.shot_sets import open_shots
from training.errors import TrainingError

from .conftest import save

SETTINGS = {
    "size": 32,
    "count": 3,
    "seed": 0,
    "set": "",
    "clip": 8,
    "xdog": {"form": "branch_swapped", "sigma": 0.5, "scales": [2]},
    "hint": {"std": 0.01, "sparse": 0.5, "full": 0.0},
}
shared = pytest.mark.skipif(data_root() is None, reason="the shared sets are not there")


@pytest.mark.parametrize("kind", ["pairs", "photos", "shots", "pages"])
def test_no_data_means_generated_pictures(kind: str) -> None:
    train = open_dataset(kind, SETTINGS, None, "train")
    test = open_dataset(kind, SETTINGS, None, "test")
    assert train.source.name.startswith("generated")
    assert train.source.label(0) != test.source.label(0)
    assert train[0]["name"]


def test_monochrome_of_generated_pages() -> None:
    sample = open_dataset("monochrome", SETTINGS, None, "train")[0]
    assert sample["line"].shape == (1, 32, 32) and sample["color"].shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"set": "cartoon"}, "kind 'cartoon'"),
        ({"count": 0}, "count is 0"),
        ({"lines": "pencil"}, "lines is 'pencil'"),
    ],
)
def test_wrong_values_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        open_dataset("pairs", {**SETTINGS, **change}, None, "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [({"hint": {"kind": "blots"}}, "hint.kind is 'blots'"), ({"lines": "learned"}, "file or xdog")],
)
def test_wrong_values_of_pages_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        open_dataset("pages", {**SETTINGS, **change}, None, "train")


def test_pages_take_every_kind_of_hint() -> None:
    settings = {**SETTINGS, "hint": {"kind": "mixed"}, "lines": "file"}
    dataset = open_dataset("pages", settings, None, "train")
    shares = {float(dataset[(epoch, 0)]["hint"][3].mean()) for epoch in range(12)}
    assert 0.0 in shares and len(shares) > 4


def test_wrong_xdog_form_is_named() -> None:
    dataset = {**SETTINGS, "xdog": {"form": "swapped"}}
    with pytest.raises(TrainingError, match="swapped"):
        open_dataset("pages", dataset, None, "train")[0]


def test_kaggle_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 2)):
        for index in range(count):
            both = rng.integers(0, 255, (16, 32, 3), np.uint8)
            both[:, 16:] = 255
            save(tmp_path / split / f"{index}.png", both)
    everything = open_pairs({**SETTINGS, "holdout": False}, tmp_path, "train")
    assert len(everything) == 5 and len(open_pairs(SETTINGS, tmp_path, "train")) == 3
    pair = open_pairs(SETTINGS, tmp_path, "dev").load(0)
    assert pair.paint.shape == (16, 16, 3) and (pair.drawing == 255).all()


def test_unsplit_folder_keeps_its_tenth_apart(drawings: Callable[..., Path]) -> None:
    folder = drawings(12, size=24)
    train, dev = (open_pairs(SETTINGS, folder, split) for split in ("train", "dev"))
    labels = [{source.label(i) for i in range(len(source))} for source in (train, dev)]
    assert (
        labels[0] and labels[1] and not labels[0] & labels[1] and len(labels[0] | labels[1]) == 12
    )


def test_photo_tree_and_limit(tmp_path: Path) -> None:
    for name in ("n01/a.jpg", "n01/b.jpg", "n02/c.png"):
        save(tmp_path / "train" / name, np.zeros((20, 30, 3), np.uint8))
        save(tmp_path / "val" / name, np.zeros((20, 30, 3), np.uint8))
    source = open_photos(SETTINGS, tmp_path, "train")
    assert [source.label(i) for i in range(3)] == ["n01/a", "n01/b", "n02/c"]
    assert len(open_photos({**SETTINGS, "limit": 2}, tmp_path, "train")) == 2


def photo_tree(folder: Path) -> Path:
    for split in ("train", "val"):
        for name in ("n01/a", "n01/b", "n01/c", "n02/a", "n02/b", "n02/c", "n02/d.e"):
            save(folder / split / f"{name}.png", np.zeros((4, 4, 3), np.uint8))
    return folder


def labels_of(source: PictureSource) -> list[str]:
    return [source.label(index) for index in range(len(source))]


def test_photos_trained_on_val_and_tested_on_some_of_each_class(tmp_path: Path) -> None:
    photo_tree(tmp_path)
    settings = {**SETTINGS, "reverse": True, "per_class": 2, "eval_seed": 0}
    train = open_photos(settings, tmp_path, "train")
    assert len(train) == 7 and "val" in train.files(0)[0].parts
    test = open_photos(settings, tmp_path, "dev")
    assert [label[:3] for label in labels_of(test)] == ["n01", "n01", "n02", "n02"]
    assert "train" in test.files(0)[0].parts
    assert labels_of(test) == labels_of(open_photos(settings, tmp_path, "dev"))
    drawn = {
        tuple(labels_of(open_photos({**settings, "eval_seed": seed}, tmp_path, "dev")))
        for seed in range(8)
    }
    assert len(drawn) > 2
    assert len(open_photos({**settings, "per_class": 0}, tmp_path, "dev")) == 7
    assert "train" in open_photos(SETTINGS, tmp_path, "train").files(0)[0].parts


def test_photos_of_a_list(tmp_path: Path) -> None:
    data, path = photo_tree(tmp_path / "d"), tmp_path / "list.txt"
    path.write_text("# mine\nn02, b.png\n\nn01/c\nn02/d.e\nn01/c.png\n", encoding="utf-8")
    settings = {**SETTINGS, "list": str(path)}
    assert labels_of(open_photos(settings, data, "dev")) == ["n02/b", "n01/c", "n02/d.e"]
    assert len(open_photos(settings, data, "train")) == 7
    flat = data / "val"  # without parts: what is not tested on trains
    assert labels_of(open_photos(settings, flat, "dev")) == ["n02/b", "n01/c", "n02/d.e"]
    assert labels_of(open_photos(settings, flat, "train")) == ["n01/a", "n01/b", "n02/a", "n02/c"]
    path.write_text("n01/z.png\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"list\.txt names n01/z\.png"):
        open_photos(settings, data, "dev")
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"list\.txt names no picture"):
        open_photos(settings, data, "dev")
    with pytest.raises(TrainingError, match=r"nowhere\.txt cannot be read"):
        open_photos({**SETTINGS, "list": "nowhere.txt"}, data, "dev")


def test_paintings_among_photos_are_the_coloured_ones(tmp_path: Path) -> None:
    for part in ("color", "bw", "line"):
        save(tmp_path / part / "a.png", np.zeros((20, 30, 3), np.uint8))
    source = open_photos(SETTINGS, tmp_path, "train")
    assert [source.label(i) for i in range(len(source))] == ["a"]
    assert source.load(0).color is not None


def test_parts_of_photos_are_taken_where_the_table_says_so() -> None:
    wide = {**SETTINGS, "set": "photo", "count": 4, "size": 64, "seed": 1}
    whole, parts = (
        open_dataset("photos", {**wide, "crop": crop}, None, "train") for crop in (False, True)
    )
    assert any((whole[i]["rgb"] != parts[i]["rgb"]).any() for i in range(4))


def test_manga_folders(tmp_path: Path) -> None:
    for name in range(3):
        save(tmp_path / "color" / f"c{name}.png", np.full((40, 30, 3), 90, np.uint8))
        save(tmp_path / "bw_manga" / f"m{name}.png", np.full((44, 30), 90, np.uint8))
    assert open_pages(SETTINGS, tmp_path, "train").load(0).monochrome is None
    page = open_manga(SETTINGS, tmp_path, "train").load(0)
    assert page.color is None and page.monochrome is not None and page.shape == (44, 30)


def test_all_manga_is_of_both_parts_and_may_be_absent(tmp_path: Path) -> None:
    for split, names in (("train", "ab"), ("val", "cd")):
        for name in names:
            save(tmp_path / split / "color" / f"{name}.png", np.zeros((40, 30, 3), np.uint8))
            save(tmp_path / split / "bw_manga" / f"{name}{name}.png", np.zeros((44, 30), np.uint8))
    pages = all_manga(SETTINGS, tmp_path)
    assert pages is not None
    assert [pages.label(i) for i in range(len(pages))] == ["aa", "bb", "cc", "dd"]
    assert all_manga(SETTINGS, tmp_path / "train" / "color") is None
    assert all_manga({**SETTINGS, "set": "toon"}, None) is None
    generated = all_manga(SETTINGS, None)
    assert generated is not None and len(generated) == 6


def test_pages_of_one_name_need_not_belong_together(tmp_path: Path) -> None:
    save(tmp_path / "color" / "001.png", np.full((40, 30, 3), 90, np.uint8))
    save(tmp_path / "bw_manga" / "001.png", np.full((44, 30), 90, np.uint8))
    assert open_pages(SETTINGS, tmp_path, "train").load(0).paint.shape == (40, 30, 3)


def test_folder_without_pairs_says_what_it_wants(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(TrainingError, match="colour left and drawing right"):
        open_pairs(SETTINGS, tmp_path, "train")
    with pytest.raises(TrainingError, match="is no folder"):
        open_pairs(SETTINGS, tmp_path / "nowhere", "train")


def test_named_sets_and_misspelt_ones(tmp_path: Path, drawings: Callable[..., Path]) -> None:
    for name in ("pairs_gophers", "pairs_scratch"):
        for split in ("train", "dev"):
            drawings(2, f"root/{name}/{split}", 24)
    root = tmp_path / "root"
    joined = open_pairs({**SETTINGS, "set": "pairs"}, root, "train")
    assert joined.name == "pairs_gophers+pairs_scratch" and len(joined) == 4
    assert len(open_pairs({**SETTINGS, "set": "pairs_scratch"}, root, "dev")) == 2
    assert open_pairs(SETTINGS, root / "pairs_gophers", "dev").name == "pairs_gophers"
    with pytest.raises(TrainingError, match="did you mean pairs_gophers"):
        open_pairs({**SETTINGS, "set": "pairs_gopher"}, root, "train")


def test_index_decides_what_belongs(drawings: Callable[..., Path]) -> None:
    folder = drawings(3, "pairs_scratch/train")
    drawings(1, "pairs_scratch/dev")
    (folder / "index.json").write_text(json.dumps([{"id": "d2"}, {"id": "d0"}]))
    source = open_pairs(SETTINGS, folder.parent, "train")
    assert [source.label(i) for i in range(len(source))] == ["d2", "d0"]
    (folder / "index.json").write_text("{")
    with pytest.raises(TrainingError, match=r"index\.json cannot be read"):
        open_pairs(SETTINGS, folder.parent, "train")


def shot_folder(folder: Path, shots: int, frames: int = 9) -> None:
    for shot in range(shots):
        for frame in range(frames):
            for kind, shape in (("color", (16, 20, 3)), ("line", (16, 20))):
                path = folder / f"s{shot}" / f"{kind}_{frame:04d}.png"
                save(path, np.full(shape, 100 + frame, np.uint8))


def test_shot_parts_do_not_overlap(tmp_path: Path) -> None:
    shot_folder(tmp_path / "a", 6)
    train, dev = (open_shots(SETTINGS, tmp_path / "a", split) for split in ("train", "dev"))
    labels = [{source.label(i) for i in range(len(source))} for source in (train, dev)]
    assert len(labels[0]) == len(labels[1]) == 3 and not labels[0] & labels[1]
    other = {**SETTINGS, "eval_series": "2", "finetune_shots": 2}
    tuned, rest = (open_shots(other, tmp_path / "a", split) for split in ("finetune", "dev"))
    assert len(tuned) == 2 and len(rest) == 4
    rows = [
        open_shots(
            {**other, "finetune_shots": shots, "finetune_reserved": 3}, tmp_path / "a", "dev"
        )
        for shots in (0, 2, 3)
    ]
    measured = [{source.label(i) for i in range(len(source))} for source in rows]
    assert len(measured[0]) == 3 and measured[0] == measured[1] == measured[2]
    with pytest.raises(TrainingError, match="no shot"):
        open_shots({**other, "finetune_shots": 0}, tmp_path / "a", "finetune")


def test_short_shots_are_refused(tmp_path: Path) -> None:
    shot_folder(tmp_path / "a", 2, 4)
    with pytest.raises(TrainingError, match="has 8 frames"):
        open_dataset("shots", SETTINGS, tmp_path / "a", "train")


def test_cache_survives_damage_and_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = ArrayCache(tmp_path / "c")
    made = []

    def make() -> np.ndarray:
        made.append(1)
        return np.arange(5)

    assert cache.get(("a", 1), make).tolist() == cache.get(("a", 1), make).tolist()
    assert len(made) == 1 and not list(tmp_path.rglob("*.part"))
    entry = next((tmp_path / "c").rglob("*.npy"))
    entry.write_bytes(entry.read_bytes()[:60])
    assert cache.get(("a", 1), make).tolist() == [0, 1, 2, 3, 4] and len(made) == 2
    cache.get(("a", 2), make)
    assert len(made) == 3

    def full(*_: object) -> None:
        import errno

        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert cache.get(("b",), make).tolist() == [0, 1, 2, 3, 4]
    cache.get(("c",), make)
    assert caplog.text.count("disk is full") == 1


@shared
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_shared_sets_open(name: str, split: str) -> None:
    root = data_root()
    assert root is not None
    if not (root / name).is_dir():
        pytest.skip(f"{name} is not there")
    settings = {**SETTINGS, "set": name, "recolor": True, "limit": 2, "clip": 3}
    if name == "comics_climatefrogs" and split == "test":
        pytest.skip("has no dev part")
    dataset = open_dataset(SETS[name], settings, root, split)
    sample = dataset[0]
    assert sample["name"]
    has_maps = name in ("anim_noto",) or name.startswith("pairs_")
    assert ("regions" in sample) == has_maps
