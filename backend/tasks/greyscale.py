"""The task "greyscale": colour for a grey painting, whose lightness stays exactly as it is.

The network sees a small copy and says a and b of Lab. They come back to full size along the edges
of the lightness, and each pixel gets the colour of its own lightness that is nearest to them.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from backend.imaging import color, io, planes
from backend.imaging.ground import bands, laid_on_white
from backend.imaging.lightness import lightness, with_lightness
from backend.imaging.resample import upsample_along
from backend.models.registry import ids_for
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer

from .request import ENCODINGS, Outcome, Request, naming, stepper
from .selection import cut_out, read_selection

# The Lab that each network was trained in.
_CODECS = {"smsanet": color.ZHANG, "ibn_gan": color.IBN}
_SIDE = 128  # squared, the pixels of pictures that a network knows whose file does not say
_LONGEST = 4  # times that, a side of the copy at most, for panoramas
_READ, _COLOURED = 0.1, 0.9


def colour_grey(
    picture: np.ndarray,
    model: str = "",
    *,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """Colour a picture by what it shows, keeping the L* of every pixel to the rounding of L*.

    picture: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, 8 or 16 bit; of colours only the
    lightness counts. Returns (H, W, 3), or (H, W, 4) with the same alpha, in the same dtype; what
    is transparent is all zeros.
    model: "ibn_gan" or "smsanet"; "" is the first of them that is installed. Raises NuriError:
    bad_input (nothing to see in it), model_missing, cancelled.
    """
    step = stepper(progress, cancelled)
    step(0.0, "reading tones")
    name = model or _default()
    height, width = picture.shape[:2]
    _refuse_blank(picture)
    network = store.load(name, rounded=True)
    small = _shrink(picture, _trained_side(name), _stride(network))
    step(0.1, "choosing colours")
    small_light = color.rgb_to_lab(small)[..., 0]
    chroma = _chroma(network, color_codec=_CODECS[name], light=small_light)
    step(0.4, "following edges")
    channels = 4 if picture.ndim == 3 and picture.shape[2] == 4 else 3
    result = np.empty((height, width, channels), picture.dtype)
    for rows in bands(height, width):
        step(0.4 + 0.6 * rows.start / height, "following edges")
        part = picture[rows]
        light = lightness(part)
        seen = light if channels == 3 else _on_white(light, part[..., 3])
        full = upsample_along(seen, small_light, chroma, height=height, top=rows.start)
        result[rows, :, :3] = with_lightness(light, full, picture.dtype)
        if channels == 4:
            result[rows, :, 3] = part[..., 3]
            result[rows][part[..., 3] == 0] = 0
    return result


def run_greyscale(request: Request) -> Outcome:
    """Inputs ``picture`` and ``mask``; options ``model``, ``layer`` and ``encode``.

    The output ``picture`` has the bits of the input, and alpha where the input has it or a mask is
    given: transparent outside of the mask.
    """
    encoding = request.text("encode", ENCODINGS)
    model = request.text("model", ("", *ids_for("greyscale")))
    source = _read(request)
    mask = read_selection(request, *source.pixels.shape[:2])
    with naming(request.inputs["picture"]):
        coloured = colour_grey(
            source.pixels,
            model,
            progress=request.part(_READ, _COLOURED),
            cancelled=request.cancelled,
        )
    request.step(_COLOURED, "packing")
    if mask is not None:
        coloured = _within(coloured, mask)
    warnings = [source.warning] if source.warning else []
    info = {"width": coloured.shape[1], "height": coloured.shape[0], "warnings": warnings}
    if encoding:
        data = io.encode_png(coloured, source.icc)
        return Outcome((EncodedImage("picture", "picture.png", data),), info)
    return Outcome((planes.rgb_plane("picture", coloured, request.inputs["picture"]),), info)


def _read(request: Request) -> io.Picture:
    plane = request.inputs.get("picture")
    if plane is None:
        raise NuriError(ErrorCode.bad_input, "there is no picture", "Choose a layer or file")
    if isinstance(plane, PixelBuffer):
        return io.Picture(planes.to_line(planes.to_array(plane), plane.format))
    layer = plane.layer or request.text("layer")
    return io.read_picture(plane.data, plane.file_name, layer)


def _within(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 4): the picture inside of a selection."""
    if picture.shape[2] == 4:
        alpha = picture[..., 3]
    else:
        alpha = np.full(mask.shape, np.iinfo(picture.dtype).max, picture.dtype)
    cut = np.dstack([picture[..., :3], cut_out(alpha, mask)])
    cut[cut[..., 3] == 0] = 0
    return cut


def _default() -> str:
    models = ids_for("greyscale")
    there = store.installed()
    return next((name for name in models if name in there), models[0])


def _trained_side(name: str) -> int:
    """The side of the squares that a network was trained on, as its file says."""
    from backend.models.architectures import read_header

    said = read_header(store.file_of(name)).extra.get("data.size")
    return said if isinstance(said, int) and said > 0 else _SIDE


def _stride(network: object) -> int:
    """What a network pads sides to multiples of; SMSANet halves them three times."""
    return int(2 ** getattr(network, "depth", 3))


def _shrink(picture: np.ndarray, side: int, stride: int) -> np.ndarray:
    """(h, w, 3) float32 sRGB in 0..1: the copy that the network sees, on white.

    About as many pixels as a square of ``side`` in about the picture's proportions: the sides are
    multiples of ``stride``, for a network learns from pictures that fill its input.
    """
    height, width = picture.shape[:2]
    scale = side / np.sqrt(height * width)
    scale = min(scale, _LONGEST * side / max(height, width))
    size = [max(1, round(length * scale / stride)) * stride for length in (width, height)]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    top = np.float32(np.iinfo(picture.dtype).max)
    if picture.ndim == 3:
        picture = laid_on_white(picture)
    small = cv2.resize(picture, size, interpolation=method).astype(np.float32) / top
    return small if small.ndim == 3 else np.repeat(small[..., None], 3, axis=2)


def _on_white(light: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha.astype(np.float32) / np.iinfo(alpha.dtype).max
    return light * share + 100 * (1 - share)


def _refuse_blank(picture: np.ndarray) -> None:
    """One tone all over, or nothing that is not transparent, shows a network nothing."""
    if picture.shape[0] * picture.shape[1] == 1:
        return
    if picture.ndim == 3 and picture.shape[2] == 4 and not picture[..., 3].any():
        blank = True
    else:
        blank = bool((picture == picture[:1, :1]).all())
    if blank:
        raise NuriError(
            ErrorCode.bad_input,
            "the picture is blank: it has no tones to colour",
            "Choose the layer or file with the grey painting",
        )


def _chroma(network: object, color_codec: color.LabCodec, light: np.ndarray) -> np.ndarray:
    """a and b (h, w, 2) float32 that the network gives a lightness (h, w) in 0..100."""
    import torch

    gray = (light - color_codec.l_center) / color_codec.l_scale
    with torch.inference_mode():
        output = network(torch.from_numpy(gray.astype(np.float32))[None, None])  # type: ignore[operator]
    return np.ascontiguousarray(output.main[0].permute(1, 2, 0).numpy()) * color_codec.ab_scale
