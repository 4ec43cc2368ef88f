"""A daemon on a full disk: it computes, and keeps nothing."""

from __future__ import annotations

import pytest

from protocol.errors import ErrorCode, NuriError
from tests.backend import drawings

from .house import House, flats_of, small

# Room for a log, and not for a picture. Compiling may take long on a busy machine.
FULL_DISK = (
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
    "from backend.daemon import supervision; supervision.START_SECONDS = 200.0;"
)


@pytest.mark.slow
def test_full_disk_at_the_first_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled yet, and what the worker compiles cannot be kept."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(house.folder / "compiled"))
    house.start(prologue=FULL_DISK)
    result = house.client().submit("flats", small()).result(200)
    assert drawings.is_coloured(flats_of(result.outputs))
    assert house.log().count("machine code cannot be kept") == 1


def test_full_disk_costs_the_kept_result_not_the_job(house: House) -> None:
    house.start(prologue=FULL_DISK)
    client = house.client()
    job = client.submit("flats", small())
    assert drawings.is_coloured(flats_of(job.result(200).outputs))
    with pytest.raises(NuriError) as caught:
        client.fetch(job.id)
    assert caught.value.code is ErrorCode.not_found
    assert f"[{job.id}] result not kept: the disk is full" in house.log()
