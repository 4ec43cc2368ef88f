"""Colours every NAME-line.png in one folder by its NAME-hints.png: FOLDER_IN FOLDER_OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from protocol.client import Client
from protocol.pixels import EncodedImage

source, target = Path(sys.argv[1]), Path(sys.argv[2])
with Client.connect(start=True, timeout=30, name="colour_folder") as nuri:
    for line in sorted(source.glob("*-line.png")):
        hints = line.with_name(line.name.replace("-line", "-hints"))
        pictures = {"line": line, "hints": hints}
        planes = [EncodedImage(name, p.name, p.read_bytes()) for name, p in pictures.items()]
        job = nuri.submit("flats", planes, {"outputs": ["picture"], "encode": "png"}, lane="batch")
        (target / line.name.replace("-line", "")).write_bytes(job.result().outputs[0].data)
