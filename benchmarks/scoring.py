"""The evaluation script beside the data, where there is one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_score(data: Path) -> ModuleType | None:
    """eval/score.py beside the data as a module; None, and a word, without it."""
    path = data.parent / "eval" / "score.py"
    spec = importlib.util.spec_from_file_location("score", path)
    if not path.is_file() or spec is None or spec.loader is None:
        print(f"there is no {path}, which measures count and exact", file=sys.stderr)
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
