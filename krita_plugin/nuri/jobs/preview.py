"""The job of Live: as Colorize layer, but small, and its result is a picture for the docker."""

from __future__ import annotations

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.pixels import PixelBuffer, Plane

from .. import preview
from ..document import when_idle
from ..pixels.hidden import HiddenCopy
from ..pixels.rows import Pixels, blue_first, plane_of
from ..pixels.samples import is_paper
from ..qt import QImage, Qt
from ..steps import Work
from .layer_job import Outcome, colours_of
from .reference import ReferenceJob
from .request import task_of

# Drawings are halved, thirded and so on until they are near this size: fast and good enough.
SIDE = 1280
_PICTURE_SIDE = 512
_STEP_PIXELS = 2**18
# Qt scales and converts larger pieces on threads and waits for them, which takes long on a busy
# machine.
_BAND_PIXELS = 2**14
_OF_CANVAS = ("hints", "mask")


class PreviewJob(ReferenceJob):
    """Runs a `Request` on a smaller copy, all in sRGB; the outcome has a picture and no layer."""

    def _work(self) -> Work:
        document = yield from when_idle(self.request.document)
        factor = max(1, round(max(document.width(), document.height()) / SIDE))
        client = yield from self._backend.client()
        line, planes = yield from self._planes()
        line = yield from _smaller(line, factor)
        small: list[Plane] = [plane_of("line", line)]
        for plane in planes[1:]:
            if isinstance(plane, PixelBuffer) and plane.name in _OF_CANVAS:
                small.append((yield from _picked(plane, factor, (line.width, line.height))))
            else:
                small.append(plane)
        del planes
        self._job = self._submit(client, small)
        del small
        result = yield from self._answer(self._job)
        self._job = None
        colours = colours_of(result.outputs)
        del result
        yield 0
        document = yield from when_idle(self.request.document)
        space = self._space_of(colours, document)
        if colours.format == "rgba8":
            colours = yield from blue_first(colours)
        on_paper = is_paper(line)
        yield 0
        # In steps; scaling it as a whole would hold up the pen.
        line = yield from _smaller(line, max(1, max(line.width, line.height) // _PICTURE_SIDE))
        with HiddenCopy(document) as hidden:
            picture = yield from preview.compose(
                hidden, line, colours, space, on_paper, _PICTURE_SIDE
            )
        return Outcome("", picture)

    def _submit(self, client: Client, planes: list[Plane]) -> Job:
        task, options = task_of(self.request, client)
        return client.submit(task, planes, options, document=self.request.document, keep=False)


def _smaller(pixels: Pixels, factor: int) -> Work:
    """`Pixels` (bgra8) with the mean of each ``factor`` x ``factor``, so that no line is lost."""
    if factor == 1:
        return pixels
    width, height = max(1, pixels.width // factor), max(1, pixels.height // factor)
    view, row = memoryview(pixels.data), 4 * pixels.width
    # The last columns that make no whole square stay out of every row.
    whole = min(pixels.width, width * factor)
    data, keep = bytearray(), Qt.AspectRatioMode.IgnoreAspectRatio
    smooth = Qt.TransformationMode.SmoothTransformation
    rows = max(1, _BAND_PIXELS // (pixels.width * factor))
    bands = max(1, _STEP_PIXELS // (pixels.width * factor * rows))
    for index, y in enumerate(range(0, height, rows)):
        count = min(rows, height - y)
        high = min(count * factor, pixels.height - y * factor)
        band = bytes(view[y * factor * row : (y * factor + high) * row])
        image = QImage(band, whole, high, row, QImage.Format.Format_ARGB32)
        image = image.scaled(width, count, keep, smooth)
        image = image.convertToFormat(QImage.Format.Format_ARGB32)
        data += bytes(image.constBits().asarray(image.sizeInBytes()))
        if index % bands == 0:
            yield 0
    return Pixels(0, 0, width, height, pixels.format, memoryview(data))


def _picked(plane: PixelBuffer, factor: int, canvas: tuple[int, int]) -> Work:
    """Every ``factor``-th pixel of the canvas: colours of hints must stay what they are.

    ``canvas``: width and height of the smaller lines; what lies beyond them is left out.
    Raises `NuriError` bad_input: nothing is left.
    """
    if factor == 1:
        return plane
    size = len(plane.data) // (plane.width * plane.height)
    skip_x, skip_y = -plane.x % factor, -plane.y % factor
    corner = (plane.x + skip_x) // factor, (plane.y + skip_y) // factor
    most_x, most_y = canvas[0] - corner[0], canvas[1] - corner[1]
    view, row = memoryview(plane.data), size * plane.width
    rows = []
    kinds = {1: "B", 2: "H", 4: "I", 8: "Q"}
    for index, y in enumerate(range(skip_y, plane.height, factor)[: max(0, most_y)]):
        pixels = view[y * row : (y + 1) * row].cast("B").cast(kinds[size])  # type: ignore[call-overload]
        rows.append(pixels[skip_x::factor][: max(0, most_x)].tobytes())
        if index % 256 == 255:
            yield 0
    if not rows or not rows[0]:
        what = "hints are" if plane.name == "hints" else "selection is"
        raise NuriError(ErrorCode.bad_input, f"The {what} too small for a preview")
    shape = len(rows[0]) // size, len(rows)
    pixels = Pixels(*corner, *shape, plane.format.value, b"".join(rows))
    return plane_of(plane.name, pixels)
