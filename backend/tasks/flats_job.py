"""The task "flats" around `colour_flats`: its inputs found and checked, its outputs packed."""

from __future__ import annotations

import numpy as np

from backend.imaging import io
from backend.imaging.hints import read_hints
from backend.imaging.lzf import unpack
from backend.regions.borders import Borders
from backend.regions.fill import fill_chambers
from protocol.pixels import EncodedImage, Plane

from .canvas import read_canvas
from .drawing_inputs import read_drawing, read_mask
from .drawing_outputs import OUTPUTS, facts_of, pack_result
from .flats import colour_flats
from .request import ENCODINGS, Outcome, Request, naming

# Share of the whole at which reading ends and packing begins.
READ, COLOURED = 0.1, 0.9


def run_flats(request: Request) -> Outcome:
    """Inputs ``line``, ``hints`` and ``mask`` and the options of docs/tasks.md to flats.

    ``hints`` may be left out for a .kra or .ora file that has a hint layer.
    """
    wanted = request.texts("outputs", OUTPUTS, ("flats",))
    encoding = request.text("encode", ENCODINGS)
    fill_unhinted, lines = request.flag("fill_unhinted", False), request.flag("lines", True)
    line, hints = read_drawing(request)
    mask = read_mask(request, line)
    request.step(READ, "finding regions")
    with naming(request.inputs["line"]):
        result = colour_flats(
            line,
            hints.pixels,
            mask=mask,
            fill_unhinted=fill_unhinted,
            progress=request.part(READ, COLOURED),
            cancelled=request.cancelled,
        )
    request.step(COLOURED, "packing")
    outputs = pack_result(result, line, hints, wanted, encoding, lines=lines)
    return Outcome(outputs, facts_of(result, hints))


def rehearse() -> None:
    """Colour a tiny drawing, so that the machine code of everything on the way is loaded."""
    line = np.full((64, 64), 255, np.uint8)
    line[4:60:53, 4:58] = line[4:58, 4:60:53] = 0
    hints = np.zeros((64, 64, 4), np.uint8)
    hints[20:26, 10:16] = (200, 30, 40, 255)
    hints[30:36, 44:50] = (10, 60, 220, 255)  # two in one region have to share it
    inputs: dict[str, Plane] = {
        "line": EncodedImage("line", "line.png", io.encode_png(line)),
        "hints": EncodedImage("hints", "hints.png", io.encode_png(hints)),
    }
    for fill_unhinted in (False, True):
        options = {"outputs": ["picture"], "encode": "png", "fill_unhinted": fill_unhinted}
        run_flats(Request(inputs, options, lambda fraction, stage: None, lambda: False))
    canvas, marks = read_canvas(line), read_hints(hints)
    nothing = np.zeros(line.shape, np.float32)
    fill_chambers(
        canvas.chambers, marks, borders=Borders(nothing, nothing[..., None], hints[..., 3] > 0)
    )
    unpack(b"\0\0", 1)
