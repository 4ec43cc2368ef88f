"""The worker leaves the machine to the artist."""

from __future__ import annotations

import os
import sys

import pytest

from backend.daemon import courtesy, devices
from backend.models.registry import MODELS
from protocol.errors import ErrorCode, NuriError

from .house import House


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_worker_goes_behind_the_artists_programs(shared: House) -> None:
    worker = shared.worker_pid(shared.client())
    assert os.getpriority(os.PRIO_PROCESS, worker) == min(
        19, os.getpriority(os.PRIO_PROCESS, 0) + 10
    )


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (3, 2), (8, 7)])
def test_a_core_is_left_free_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)), raising=False)
    assert courtesy.threads() == threads


def test_no_gpu_is_claimed_that_computes_nothing() -> None:
    assert all(model.device == "cpu" for model in MODELS.values())
    assert devices.choose_device("auto") == "cpu"
    with pytest.raises(NuriError, match="computes on the CPU") as caught:
        devices.choose_device("cuda")
    assert caught.value.code is ErrorCode.unsupported


def test_the_users_own_number_of_threads_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    lowered: list[int] = []
    monkeypatch.setattr(os, "nice", lowered.append, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    courtesy.give_way()
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert os.environ["NUMBA_NUM_THREADS"] == str(courtesy.threads())
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    assert lowered == [10]
