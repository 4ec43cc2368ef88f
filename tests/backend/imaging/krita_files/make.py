"""Makes the files of this folder with Krita itself (5.1 was used); standard library only.

kritarunner -s make -f main       with this folder in PYTHONPATH and as the current folder

animation.kra needs Krita's window, because key frames are made in its timeline: it is what
tests/krita/hook/nuri_test_hook/shot.py makes with width=96, height=72, times=(0, 1, 2, 4, 7).
"""

from __future__ import annotations

import pattern
from krita import Krita

CHANNELS = {"RGBA": 4, "GRAYA": 2}
SPACES = (
    ("RGBA", "U8"),
    ("RGBA", "U16"),
    ("RGBA", "F16"),
    ("RGBA", "F32"),
    ("GRAYA", "U8"),
    ("GRAYA", "U16"),
)


def main(_: object = None) -> None:
    """One .kra for each colour space, and an .ora of the first."""
    krita = Krita.instance()
    krita.setBatchmode(True)
    for model, depth in SPACES:
        make(krita, model, depth)


def make(krita: object, model: str, depth: str) -> None:
    document = krita.createDocument(pattern.WIDTH, pattern.HEIGHT, "t", model, depth, "", 72.0)
    document.setBatchmode(True)
    root = document.rootNode()
    group = document.createGroupLayer("Group")
    root.addChildNode(group, None)
    for name, (width, height, x, y, dx, dy, _noisy) in pattern.LAYERS.items():
        node = document.createNode(name, "paintlayer")
        (group if name in ("Noisy", "Moved") else root).addChildNode(node, None)
        if width:
            pixels = pattern.painted(name, CHANNELS[model], depth)
            node.setPixelData(pixels, x, y, width, height)
        if dx or dy:
            node.move(dx, dy)
        if name == "Empty":
            node.setVisible(False)
    root.addChildNode(document.createVectorLayer("Vector"), None)
    document.refreshProjection()
    document.waitForDone()
    document.saveAs(f"{model}_{depth}.kra".lower())
    document.waitForDone()
    if (model, depth) == ("RGBA", "U8"):
        document.saveAs("rgba_u8.ora")
        document.waitForDone()
    document.setModified(False)
    document.close()
