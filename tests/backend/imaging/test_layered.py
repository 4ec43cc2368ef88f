from __future__ import annotations

import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging import io
from backend.imaging.layered import names
from backend.imaging.lzf import unpack
from backend.imaging.profile import encode_srgb
from protocol.errors import ErrorCode, NuriError
from tests.backend.imaging import files
from tests.backend.imaging.krita_files import pattern

FOLDER = Path(__file__).parent / "krita_files"
# File, the depth that was painted in, and whether its values are linear light.
KRITA_FILES = [
    ("rgba_u8", "U8", False),
    ("rgba_u16", "U16", True),
    ("rgba_f16", "F16", True),
    ("rgba_f32", "F32", True),
    ("graya_u8", "U8", False),
    ("graya_u16", "U16", True),
]
DTYPES = {"U8": "u1", "U16": "<u2", "F16": "<f2", "F32": "<f4"}
NAMES = ["Empty", "Hints", "Ünïcode line <&>", "Moved", "Noisy"]


def expected_layer(name: str, file: str, depth: str, *, linear: bool) -> np.ndarray:
    """The canvas of a layer as floats 0..1 in sRGB, computed from what was painted."""
    width, height, x, y, dx, dy, _ = pattern.LAYERS[name]
    channels = 4 if file.startswith("rgba") else 2
    canvas = np.zeros((pattern.HEIGHT + 200, pattern.WIDTH + 200, channels))
    if width:
        raw = np.frombuffer(pattern.painted(name, channels, depth), DTYPES[depth])
        scale = 1.0 if raw.dtype.kind == "f" else np.iinfo(raw.dtype).max
        left, top = 100 + x + dx, 100 + y + dy
        canvas[top : top + height, left : left + width] = raw.reshape(height, width, -1) / scale
    canvas = canvas[100 : 100 + pattern.HEIGHT, 100 : 100 + pattern.WIDTH]
    if channels == 2:
        canvas = canvas[..., (0, 0, 0, 1)]
    elif depth.startswith("U"):  # Krita stores whole numbers as blue, green, red
        canvas = canvas[..., (2, 1, 0, 3)]
    canvas = canvas.copy()
    if linear:
        canvas[..., :3] = encode_srgb(canvas[..., :3])
    return canvas


@pytest.mark.parametrize(("file", "depth", "linear"), KRITA_FILES)
@pytest.mark.parametrize("name", NAMES)
def test_layers_of_files_that_krita_wrote(file, depth, linear, name):
    data = (FOLDER / f"{file}.kra").read_bytes()
    pixels = io.read_image(data, f"{file}.kra", name)
    assert pixels.dtype == (np.uint8 if depth == "U8" else np.uint16)
    expected = expected_layer(name, file, depth, linear=linear)
    top = np.iinfo(pixels.dtype).max
    if depth == "U8":
        np.testing.assert_array_equal(pixels, np.round(expected * top))
    else:
        # Alpha is exact; colours go through one table, float ones through 16 bit first.
        assert np.abs(pixels / top - expected).max() < (2e-4 if depth[0] == "F" else 2e-5)


@pytest.mark.parametrize(("file", "depth", "linear"), KRITA_FILES)
def test_names_and_merged_picture_of_krita_files(file, depth, linear):
    data = (FOLDER / f"{file}.kra").read_bytes()
    # "Background" comes with every new document; the vector layer has no pixels to choose.
    assert set(names(io.open_layered(data, file).tree)) == {*NAMES, "Group", "Background"}
    merged = io.read_image(data, f"{file}.kra")
    assert merged.shape == (pattern.HEIGHT, pattern.WIDTH, 4)


def test_open_raster_of_krita_agrees_with_its_own_file():
    kra = (FOLDER / "rgba_u8.kra").read_bytes()
    ora = (FOLDER / "rgba_u8.ora").read_bytes()
    for name in NAMES:
        expected = io.read_image(kra, "a.kra", name)
        pixels = io.read_image(ora, "a.ora", name)
        np.testing.assert_array_equal(pixels[..., 3], expected[..., 3])
        painted = expected[..., 3] > 0
        np.testing.assert_array_equal(pixels[painted], expected[painted])


def test_a_layer_is_found_by_its_path_and_in_other_case():
    data = (FOLDER / "rgba_u8.kra").read_bytes()
    moved = io.read_image(data, "a.kra", "Moved")
    np.testing.assert_array_equal(io.read_image(data, "a.kra", "Group/Moved"), moved)
    np.testing.assert_array_equal(io.read_image(data, "a.kra", "moved"), moved)


def test_missing_layer_lists_those_there_are():
    data = (FOLDER / "rgba_u8.kra").read_bytes()
    with pytest.raises(NuriError) as caught:
        io.read_image(data, "a.kra", "Colours")
    assert caught.value.code is ErrorCode.not_found
    assert "a.kra has no layer 'Colours'" in str(caught.value)
    assert all(repr(name) in str(caught.value) for name in NAMES)


def test_layers_without_pixels_say_so():
    data = (FOLDER / "rgba_u8.kra").read_bytes()
    with pytest.raises(NuriError, match=r"a\.kra holds no pixels of its own in 'Vector'"):
        io.read_image(data, "a.kra", "Vector")


def test_a_group_is_what_it_shows():
    data = (FOLDER / "rgba_u8.kra").read_bytes()
    moved, noisy, group = (io.read_image(data, "a.kra", n) for n in ("Moved", "Noisy", "Group"))
    share = moved[..., 3:] / 255
    alpha = share + noisy[..., 3:] / 255 * (1 - share)
    colour = moved[..., :3] * share + noisy[..., :3] * (noisy[..., 3:] / 255) * (1 - share)
    expected = np.concatenate([colour / np.maximum(alpha, 1e-6), alpha * 255], axis=2)
    seen = expected[..., 3] >= 1
    assert np.abs(group - expected)[seen].max() <= 0.51


def test_other_colour_spaces_name_the_remedy():
    data = repacked("rgba_u8.kra", "maindoc.xml", lambda c: c.replace(b'"RGBA"', b'"CMYK"'))
    with pytest.raises(NuriError, match=r"colour space CMYK \(Convert the image to RGB"):
        io.read_image(data, "a.kra", "Hints")


def repacked(file: str, part: str, change) -> bytes:
    """A file of Krita with one of its parts changed, or left out where ``change`` gives None."""
    with zipfile.ZipFile(FOLDER / file) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    changed = change(parts.pop(part))
    return files.archive(parts if changed is None else {**parts, part: changed})


def read_all_layers(data: bytes) -> None:
    for name in names(io.open_layered(data, "a.kra").tree):
        io.read_image(data, "a.kra", name)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("maindoc.xml", lambda c: c[:200]),
        ("maindoc.xml", lambda c: b""),
        ("maindoc.xml", lambda c: c.replace(b'width="150"', b'width="x"')),
        ("maindoc.xml", lambda c: c.replace(b'width="150"', b'width="0"')),
        (
            "maindoc.xml",
            lambda c: c.replace(b"<!DOCTYPE DOC", b"<!DOCTYPE DOC [<!ENTITY a 'b'>] x"),
        ),
        ("maindoc.xml", lambda c: b"<a>" * 100_000),
        ("t/layers/layer4", lambda c: c[: len(c) // 2]),
        ("t/layers/layer4", lambda c: c.replace(b"PIXELSIZE 4", b"PIXELSIZE 8")),
        ("t/layers/layer4", lambda c: c.replace(b"DATA ", b"DATA 99999999")),
        ("t/layers/layer4", lambda c: c.replace(b"LZF", b"ZIP")),
        ("t/layers/layer4", lambda c: None),
        ("t/layers/layer4.defaultpixel", lambda c: c + b"x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_one_line_with_the_file_name(part, change):
    data = repacked("rgba_u8.kra", part, change)
    with pytest.raises(NuriError) as caught:
        read_all_layers(data)
    assert "a.kra" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_huge_canvas_is_refused_before_any_layer_is_read():
    change = lambda c: c.replace(b'width="150"', b'width="200000"')  # noqa: E731
    with pytest.raises(NuriError) as caught:
        io.read_image(repacked("rgba_u8.kra", "maindoc.xml", change), "a.kra", "Hints")
    assert caught.value.code is ErrorCode.too_large


def test_xml_bomb_is_refused():
    bomb = files.archive({"maindoc.xml": b" " * (40 * 1024 * 1024)})
    assert len(bomb) < 100_000
    with pytest.raises(NuriError, match=r"maindoc\.xml in a\.kra is larger"):
        io.read_image(bomb, "a.kra")


def test_a_zip_that_is_no_picture():
    with pytest.raises(NuriError, match=r"notes\.kra is a ZIP file, but no \.kra or \.ora"):
        io.read_image(files.archive({"notes.txt": b"hello"}), "notes.kra")


def test_saved_without_merged_picture():
    data = repacked("rgba_u8.kra", "mergedimage.png", lambda c: None)
    with pytest.raises(NuriError, match=r"without its merged picture \(Name a layer of it: "):
        io.read_image(data, "a.kra")


def test_open_raster_offsets_groups_and_kinds():
    red = np.zeros((4, 5, 4), np.uint8)
    red[...] = (255, 0, 0, 128)
    grey = np.full((3, 3), 90, np.uint8)
    stack = (
        '<layer name="red" src="data/r.png" x="-2" y="1"/>'
        '<stack x="1" y="2"><layer name="grey" src="data/g.png" x="3" y="3"/></stack>'
    )
    parts = {"data/r.png": io.encode_png(red), "data/g.png": io.encode_png(grey)}
    data = files.ora(stack, parts, 8, 7)
    assert names(io.open_layered(data, "a.ora").tree) == ["red", "", "grey"]
    expected = np.zeros((7, 8, 4), np.uint8)
    expected[1:5, 0:3] = red[0, 0]
    np.testing.assert_array_equal(io.read_image(data, "a.ora", "red"), expected)
    expected = np.zeros((7, 8, 4), np.uint8)
    expected[5:7, 4:7] = (90, 90, 90, 255)
    np.testing.assert_array_equal(io.read_image(data, "a.ora", "grey"), expected)


def lzf_packed(data: bytes) -> bytes:
    """A simple LZF packer with back references, so that all of `unpack` is met."""
    out, position, literal = bytearray(), 0, bytearray()

    def flush() -> None:
        nonlocal literal
        for start in range(0, len(literal), 32):
            run = literal[start : start + 32]
            out.extend([len(run) - 1, *run])
        literal = bytearray()

    while position < len(data):
        best = (0, 0)
        for distance in range(1, min(position, 300) + 1):
            length = 0
            while (
                length < 264
                and position + length < len(data)
                and data[position + length] == data[position + length - distance]
            ):
                length += 1
            best = max(best, (length, -distance))
        length, distance = best[0], -best[1]
        if length < 3:
            literal.append(data[position])
            position += 1
            continue
        flush()
        code, high = length - 2, (distance - 1) >> 8
        out.extend([(min(code, 7) << 5) | high])
        if code >= 7:
            out.append(code - 7)
        out.append((distance - 1) & 255)
        position += length
    flush()
    return bytes(out)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 12)), max_size=8))
def test_lzf_round_trip(pieces):
    data = b"".join(piece * times for piece, times in pieces)
    assert bytes(unpack(lzf_packed(data), len(data))) == data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_lzf_of_hostile_bytes(data, size):
    with suppress(ValueError):
        assert len(unpack(data, size)) == size


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hostile_tiles_give_pixels_or_a_named_error(data):
    content = bytearray(files.tiles(np.arange(70 * 70 * 4, dtype=np.uint8).reshape(70, 70, 4)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    layer = np.zeros((70, 70, 4), np.uint8)
    kra = files.kra({"Hints": layer})
    with zipfile.ZipFile(BytesIO(kra)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    parts["t/layers/layer0"] = bytes(content)
    pixels = files.pixels_or_error(files.archive(parts), "a.kra", "Hints")
    assert pixels.shape in ((70, 70, 4), (0,))


@settings(max_examples=150, deadline=None)
@given(st.data())
@pytest.mark.parametrize("file", ["graya_u16.kra", "rgba_u8.ora"])
def test_hostile_archives_give_pixels_or_a_named_error(file, data):
    content = bytearray((FOLDER / file).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # The list of the parts at the end is where most of the structure is.
        start = len(content) - 2500 if data.draw(st.booleans()) else 4
        content[data.draw(st.integers(start, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert files.pixels_or_error(bytes(content), "a.kra", "Hints").ndim in (1, 3)
