"""Styles that are taught while a client is connected."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="a style needs PyTorch")

from backend.models.architectures import build, save_model
from protocol.client import Client
from protocol.messages import Welcome
from tests.backend.weights.shelf import SMALL_MATCHER

from .house import AT_ONCE, House, until

STYLE = "style/My dog"


def revision(client: Client) -> str:
    """What the daemon says of the style when it is asked again, "" where it says nothing."""
    known = client.welcome
    client.ask_again()

    def news() -> Welcome | None:
        client.poll()
        return client.welcome if client.welcome is not known else None

    models = until(news, "another welcome").models
    return next((row["revision"] for row in models if row["id"] == STYLE), "")


def test_a_style_that_is_taught_again_has_another_revision(house: House) -> None:
    house.start(prologue=AT_ONCE)
    client = house.client()
    house.worker_pid(client)
    assert revision(client) == ""
    session = client.welcome.session if client.welcome else ""
    path = house.state / "styles" / "My dog.safetensors"
    path.parent.mkdir()
    save_model(path, build("matching", SMALL_MATCHER))
    first = revision(client)
    assert first != ""
    assert revision(client) == first
    save_model(path, build("matching", SMALL_MATCHER))  # other weights, by chance
    assert revision(client) not in ("", first)
    assert client.welcome is not None and client.welcome.session == session
    client.status()  # which the daemon serves to those that it knows
