"""`nuri models` and `nuri doctor`."""

from __future__ import annotations

import argparse

from backend.models.registry import MODELS, announce

from . import DONE
from .report import print_json


def models(options: argparse.Namespace) -> int:
    """List what can colour."""
    if options.json:
        print_json({"models": announce()})
        return DONE
    width = max(map(len, MODELS))
    for model in MODELS.values():
        print(f"{model.id:<{width}}  {model.title} (needs: {', '.join(model.inputs)})")
    return DONE


def doctor(options: argparse.Namespace) -> int:
    """Check the installation; exit code 1 where something needs mending."""
    from backend.setup.doctor import main

    return main(json=options.json)
