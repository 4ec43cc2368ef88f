"""A house for each test, or one for a whole file whose tests leave their daemon well."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .house import House


def _house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="nuri-"))  # short, for the paths of sockets
    house = House(folder)
    yield house
    house.close()
    shutil.rmtree(folder)


@pytest.fixture
def house() -> Iterator[House]:
    """A house whose daemon the test starts itself."""
    yield from _house()


@pytest.fixture(scope="module")
def house_of_file() -> Iterator[House]:
    for house in _house():
        house.start()
        yield house


@pytest.fixture
def shared(house_of_file: House) -> Iterator[House]:
    """A house with a running daemon, shared by all tests of a file."""
    yield house_of_file
    house_of_file.close_clients()
