"""Colours every NAME-line.png of a folder by its NAME-hints.png: FOLDER_IN FOLDER_OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from protocol.client import Client
from protocol.pixels import EncodedImage

source, target = Path(sys.argv[1]), Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
with Client.connect(start=True, timeout=30, name="colour_folder") as nuri:
    for line in sorted(source.glob("*-line.png")):
        hints = line.with_name(line.name.replace("-line", "-hints"))
        pair = [
            EncodedImage(n, p.name, p.read_bytes()) for n, p in [("line", line), ("hints", hints)]
        ]
        options = {"outputs": ["picture"], "encode": "png"}
        result = nuri.submit("flats", pair, options, lane="batch").result()
        (target / line.name.replace("-line", "")).write_bytes(result.outputs[0].data)
