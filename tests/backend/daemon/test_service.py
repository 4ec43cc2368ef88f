"""What clients get from a running daemon: results, order, cancel, status, kept results."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from backend.models.registry import MODELS
from backend.tasks.job import TASKS
from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import Accepted, CancelReply, Progress, Result
from tests.backend import drawings

from .house import AT_ONCE, House, Stranger, flats_of, is_gone, large, paused, small, until


def paused_worker(house: House, client: Client) -> AbstractContextManager[int]:
    return paused(house.worker_pid(client))


def code_of(job: Job) -> ErrorCode:
    """Waits for the end of a job that must not succeed."""
    with pytest.raises(NuriError) as caught:
        job.result(60)
    return caught.value.code


def wait_accepted(client: Client, job: Job) -> Accepted:
    for event in job.events(60):
        if isinstance(event, Accepted):
            return event
    raise AssertionError(f"{job.id} was not accepted: {job.error}")


def test_two_clients_at_once(shared: House) -> None:
    clients = [shared.client("one"), shared.client("two")]
    jobs = [client.submit("flats", small()) for client in clients for _ in range(3)]
    for job in jobs:
        assert drawings.is_coloured(flats_of(job.result(60).outputs))


def test_welcome_says_what_the_backend_can(shared: House) -> None:
    welcome = shared.client().welcome
    assert welcome is not None
    assert welcome.tasks == list(TASKS)
    assert [model["id"] for model in welcome.models] == list(MODELS)
    assert welcome.device == "cpu"
    assert welcome.pid == shared.file().pid
    assert welcome.log_file == str(shared.state / "daemon.log")


def test_unknown_task_is_refused_by_name(shared: House) -> None:
    job = shared.client().submit("levitate", small())
    assert code_of(job) is ErrorCode.unsupported
    assert "levitate" in str(job.error)
    assert "flats" in str(job.error)


def test_error_of_a_task_reaches_the_client_and_its_traceback_only_the_log(shared: House) -> None:
    job = shared.client().submit("flats", small()[:1])
    assert code_of(job) is ErrorCode.bad_input
    assert job.error
    assert job.error.info.job == job.id
    assert job.error.info.action
    assert f"[{job.id}] failed" in shared.log()


def test_log_is_private_and_names_jobs(shared: House) -> None:
    job = shared.client().submit("flats", small())
    job.result(60)
    assert f"[{job.id}] flats for test" in shared.log()
    assert f"[{job.id}] done" in shared.log()
    assert (shared.state / "daemon.log").stat().st_mode & 0o077 == 0


def test_control_answers_while_a_job_computes(shared: House) -> None:
    client, other = shared.client(), shared.client("other")
    job = client.submit("flats", large(), document="page")
    running = next(event for event in job.events(60) if isinstance(event, Progress))
    assert 0 <= running.fraction <= 1
    pong = other.ping()
    assert pong.job == job.id
    assert pong.step_age >= 0
    status = other.status()
    assert status.worker["state"] == "computing"
    assert status.worker["memory"] > 0
    (entry,) = status.jobs
    assert (entry["job"], entry["document"], entry["state"]) == (job.id, "page", "running")
    assert not job.is_finished
    other.cancel(job.id)
    assert code_of(job) is ErrorCode.cancelled
    assert other.status().jobs == []


def test_cancel_says_what_it_met(shared: House) -> None:
    client = shared.client()
    done = client.submit("flats", small())
    done.result(60)
    for name, state in ((done.id, "finished"), ("nobody", "unknown")):
        client.cancel(name)
        replies: list[CancelReply] = []
        until(
            lambda found=replies: (
                found.extend(
                    message for message in client.wait(1) if isinstance(message, CancelReply)
                )
                or found
            ),
            "the answer to cancel",
        )
        assert [(reply.job, reply.state) for reply in replies] == [(name, state)]


def test_waiting_job_is_cancelled_at_once(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client):
        first, second = client.submit("flats", small()), client.submit("flats", small())
        assert wait_accepted(client, second).position == 1
        second.cancel()
        assert code_of(second) is ErrorCode.cancelled
    first.result(60)


def test_newer_request_supersedes_waiting_and_running_ones(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client):
        running = client.submit("flats", small(), document="page")
        until(lambda: client.wait(0.1) is not None and client.ping().job == running.id, "its start")
        waiting = client.submit("flats", small(), document="other")
        newer = client.submit("flats", small(), document="other")
        newest = client.submit("flats", small(), document="page")
        assert code_of(waiting) is ErrorCode.superseded
        assert wait_accepted(client, newest).position >= 1
    newer.result(60)
    newest.result(60)
    assert running.is_finished


def test_running_job_that_computes_is_superseded(shared: House) -> None:
    client = shared.client()
    older = client.submit("flats", large(), document="page")
    next(event for event in older.events(60) if isinstance(event, Progress))
    newer = client.submit("flats", small(), document="page")
    assert code_of(older) is ErrorCode.superseded
    newer.result(60)


def test_interactive_job_overtakes_the_batch_lane(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client):
        jobs = [client.submit("flats", small(), lane="batch") for _ in range(3)]
        until(lambda: client.wait(0.1) is not None and client.ping().job == jobs[0].id, "its start")
        urgent = client.submit("flats", small())
        assert wait_accepted(client, urgent).position == 1
    ended: list[str] = []
    until(lambda: ended.extend(_results(client)) or len(ended) == 4, "all results")
    assert ended == [jobs[0].id, urgent.id, jobs[1].id, jobs[2].id]


def _results(client: Client) -> list[str]:
    """The jobs whose results have just come, in that order."""
    return [message.job for message in client.wait(0.1) if isinstance(message, Result)]


def test_full_batch_lane_is_busy_and_interactive_jobs_still_enter(shared: House) -> None:
    client = shared.client()
    assert client.welcome
    bound = client.welcome.limits.queue
    with paused_worker(shared, client):
        jobs = [client.submit("flats", small(), lane="batch") for _ in range(bound + 1)]
        for job in jobs:
            wait_accepted(client, job)
        refused = client.submit("flats", small(), lane="batch")
        assert code_of(refused) is ErrorCode.busy
        assert f"{bound} jobs wait" in str(refused.error)
        wait_accepted(client, client.submit("flats", small()))
        for job in jobs:
            job.cancel()
        assert [code_of(job) for job in jobs[1:]] == [ErrorCode.cancelled] * bound


def test_deadline_ends_a_job_that_takes_too_long(shared: House) -> None:
    client = shared.client()
    job = client.submit("flats", large(), deadline=0.2)
    assert code_of(job) is ErrorCode.deadline
    assert "0.2 s" in str(job.error)
    client.submit("flats", small()).result(60)


def test_deadline_does_not_count_the_time_in_the_queue(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client):
        first = client.submit("flats", small())
        second = client.submit("flats", small(), deadline=5.0)
        wait_accepted(client, second)
        started = client.status().uptime
        until(lambda: client.status().uptime > started + 6.0, "the deadline to pass")
    first.result(60)
    second.result(60)


def test_worker_that_does_not_stop_is_killed_and_replaced(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client) as pid:
        job = client.submit("flats", small())
        until(lambda: client.ping().job == job.id, "its start")
        job.cancel()
        assert code_of(job) is ErrorCode.cancelled
        assert is_gone(pid)
    client.submit("flats", small()).result(60)


def test_cancel_storm(shared: House) -> None:
    client = shared.client()
    jobs = [client.submit("flats", small(), lane="batch") for _ in range(60)]
    for _ in range(20):
        for job in jobs:
            client.cancel(job.id)
        client.poll()
    for job in jobs:
        until(lambda job=job: client.wait(0.1) is not None and job.is_finished, "its end")
        assert job.state in ("done", "cancelled")
    assert drawings.is_coloured(flats_of(client.submit("flats", small()).result(60).outputs))


def test_result_is_fetched_by_a_client_that_comes_back(shared: House) -> None:
    client = shared.client()
    with paused_worker(shared, client):
        job = client.submit("flats", small(), document="page")
        wait_accepted(client, job)
        client.close()
    again = shared.client()
    until(lambda: not again.status().jobs, "the end of the job")
    result = again.fetch(job.id)
    assert drawings.is_coloured(flats_of(result.outputs))
    assert result.info["regions"] >= 3
    (entry,) = [entry for entry in again.status().kept if entry["job"] == job.id]
    assert entry["document"] == "page"


def test_results_survive_the_daemon(house: House) -> None:
    house.start()
    client = house.client()
    job = client.submit("flats", small())
    job.result(60)
    client.fetch(job.id)
    house.kill()
    house.start(prologue=AT_ONCE)
    assert drawings.is_coloured(flats_of(house.client().fetch(job.id).outputs))


def test_what_was_not_to_be_kept_is_not(shared: House) -> None:
    client = shared.client()
    job = client.submit("flats", small(), keep=False)
    job.result(60)
    with pytest.raises(NuriError) as caught:
        client.fetch(job.id)
    assert caught.value.code is ErrorCode.not_found


def test_fetch_of_a_job_that_is_not_done_says_so(shared: House) -> None:
    client, other = shared.client(), shared.client("other")
    with paused_worker(shared, client):
        job = client.submit("flats", small())
        wait_accepted(client, job)
        with pytest.raises(NuriError, match="not ended yet") as caught:
            other.fetch(job.id)
        assert caught.value.code is ErrorCode.not_found
    job.result(60)


def test_jobs_that_nobody_will_fetch_end_with_their_client(shared: House) -> None:
    client, watcher = shared.client(), shared.client("watcher")
    with paused_worker(shared, client):
        kept, dropped = client.submit("flats", small()), client.submit("flats", small(), keep=False)
        wait_accepted(client, dropped)
        client.close()
        until(lambda: [job["job"] for job in watcher.status().jobs] == [kept.id], "the other's end")
    watcher_sees_end = until(lambda: not watcher.status().jobs, "the end of the kept job")
    assert watcher_sees_end
    watcher.fetch(kept.id)


def test_too_many_clients(shared: House) -> None:
    first = shared.client()
    assert first.welcome
    room = first.welcome.limits.clients
    file = shared.file()
    strangers: list[Stranger] = []
    try:
        answers = []
        for _ in range(room + 1):
            strangers.append(Stranger(file))
            answers.append(strangers[-1].greet())
        codes = [answer.error.code for answer in answers if hasattr(answer, "error")]
        assert codes
        assert set(codes) == {ErrorCode.too_many_clients}
    finally:
        for stranger in strangers:
            stranger.__exit__()
    until(lambda: _can_enter(shared.file()), "a free place")
    assert Path(shared.connection).exists()


def _can_enter(file: object) -> bool:
    with Stranger(file) as stranger:  # type: ignore[arg-type]
        return not hasattr(stranger.greet(), "error")
