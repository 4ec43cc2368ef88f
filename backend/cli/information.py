"""`nuri models` and `nuri doctor`."""

from __future__ import annotations

import argparse

from backend.models.registry import announce, announce_styles
from backend.weights import store, styles

from . import DONE
from .report import print_json, warn


def models(options: argparse.Namespace) -> int:
    """List what can colour."""
    taught, flaws = styles.look()
    known = announce(store.installed()) + announce_styles(styles.facts_of(taught))
    for flaw in flaws.values():
        warn(flaw)
    if options.json:
        print_json({"models": known})
        return DONE
    width = max(len(model["id"]) for model in known)
    for model in known:
        absent = "" if model["installed"] else "; its weights are not installed"
        needs = ", ".join(model["inputs"])
        print(f"{model['id']:<{width}}  {model['title']} (needs: {needs}{absent})")
    return DONE


def doctor(options: argparse.Namespace) -> int:
    """Check the installation; exit code 1 where something needs mending."""
    from backend.setup.doctor import main

    return main(json=options.json)
