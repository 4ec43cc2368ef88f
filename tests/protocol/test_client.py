"""The client against a real daemon process over real sockets."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq

from protocol import limits
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import (
    Accepted,
    Cancelled,
    CancelReply,
    Failed,
    Message,
    Progress,
    Result,
    Welcome,
)
from protocol.pixels import PixelBuffer, PixelFormat
from protocol.version import PROTOCOL_VERSION

from .conftest import StartDaemon
from .examples import ENCODED, EVERY_FORMAT, picture
from .polling import code_of, poll_until


def test_a_job_comes_back_byte_for_byte(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect(name="test", version="0.1") as client:
        options = {"outputs": ["flats"], "scale": 0.5, "deep": None}
        job = client.submit("echo", [*EVERY_FORMAT, ENCODED], options)
        heard: list[Progress] = []
        result = job.result(timeout=60, on_progress=heard.append)
        assert result.outputs == (*EVERY_FORMAT, ENCODED)
        assert result.info["options"] == options
        assert job.state == "done"
        assert heard[-1].fraction == 1.0
        assert job.progress == heard[-1]
        assert client.jobs == {}
        assert job.result() is result


def test_open_and_poll_as_krita_does(start_daemon: StartDaemon) -> None:
    start_daemon()
    client = Client.open(name="krita")
    assert not client.ready
    job = client.submit("echo", [picture()])
    assert job.state == "submitted"
    seen = poll_until(client, lambda: job.is_finished)
    assert client.ready
    kinds = [type(message) for message in seen]
    assert kinds == [Welcome, Accepted, Progress, Progress, Progress, Result]
    assert client.poll() == []
    client.close()


def test_states_of_a_job(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("hang", [])
        states = [job.state]
        for event in job.events():
            states.append(job.state)
            if isinstance(event, Progress):
                job.cancel()
        assert states[0] == "submitted"
        assert states[-1] == job.state == "cancelled"
        assert code_of(job.result) is ErrorCode.cancelled


def test_a_failed_job_raises_what_the_daemon_said(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("fail", [])
        with pytest.raises(NuriError, match="hints are empty") as caught:
            job.result(60)
        assert caught.value.info.action == "Paint some"
        assert caught.value.info.job == job.id
        assert job.error is not None
        assert job.state == "failed"


def test_a_superseded_job_says_so(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        with pytest.raises(NuriError, match="newer request") as caught:
            client.submit("superseded", []).result(60)
        assert caught.value.code is ErrorCode.superseded


def test_waiting_may_end_before_the_job(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("hang", [])
        poll_until(client, lambda: job.state == "running")
        assert code_of(lambda: job.result(timeout=0.2)) is ErrorCode.deadline
        assert job.state == "running"
        job.cancel()
        assert code_of(lambda: job.result(timeout=60)) is ErrorCode.cancelled


def test_cancel_before_the_daemon_has_the_job(start_daemon: StartDaemon) -> None:
    start_daemon()
    client = Client.open()
    job = client.submit("hang", [])
    job.cancel()
    assert job.state == "cancelled"
    assert client.poll()[-1] == Cancelled(job=job.id)
    other = client.submit("hang", [])
    poll_until(client, lambda: other.state == "running")
    assert [entry["job"] for entry in client.status().jobs] == [other.id]
    client.close()


def test_a_cancel_that_overtakes_its_job_is_sent_again(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        data = bytes(4096 * 4096 * 4)
        job = client.submit("hang", [PixelBuffer("line", 4096, 4096, PixelFormat.rgba8, data)])
        job.cancel()
        replies = poll_until(client, lambda: job.is_finished)
        assert job.state == "cancelled"
        while "cancelling" not in [m.state for m in replies if isinstance(m, CancelReply)]:
            replies += client.wait(1)


def test_cancel_of_an_unknown_job_is_harmless(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        client.cancel("never-heard-of")
        replies: list[Message] = []
        while not replies:
            replies = client.wait(1)
        assert replies == [CancelReply(job="never-heard-of", state="unknown")]


def test_status_ping_and_fetch(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    with Client.connect() as client:
        assert client.status(60).pid == process.pid
        assert client.ping(60).job == ""
        job = client.submit("echo", [picture()])
        result = job.result(60)
    with Client.connect() as later:
        assert later.fetch(job.id, 60) == result
        assert code_of(lambda: later.fetch("unknown-job", 60)) is ErrorCode.not_found
        hanging = later.submit("hang", [])
        assert code_of(lambda: later.fetch(hanging.id)) is ErrorCode.not_found
        assert not hanging.is_finished


def test_two_clients_at_once(start_daemon: StartDaemon) -> None:
    start_daemon()

    def run(number: int) -> int:
        with Client.connect(name=f"client-{number}", timeout=60) as client:
            for turn in range(20):
                sent = picture(f"{number}-{turn}", width=50 + number, height=40 + turn)
                assert client.submit("echo", [sent]).result(60).outputs == (sent,)
        return number

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, range(3))) == [0, 1, 2]


def test_many_jobs_of_one_client(start_daemon: StartDaemon) -> None:
    """More than the high-water mark: what the socket does not take waits, nothing is lost."""
    start_daemon()
    with Client.connect() as client:
        jobs = [client.submit("echo", [picture(str(i))]) for i in range(200)]
        for number, job in enumerate(jobs):
            assert job.result(60).info["names"] == [str(number)]


def test_what_a_newer_daemon_says_is_tolerated(
    start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    start_daemon()
    with Client.connect() as client:
        assert client.submit("newer", []).result(60).outputs == ()
    assert "sparkle" in caplog.text


def test_a_daemon_that_breaks_the_protocol_is_left(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        job = client.submit("broken", [])
        assert code_of(lambda: job.result(60)) is ErrorCode.malformed
        assert client.lost is not None
        assert code_of(lambda: client.submit("echo", [])) is ErrorCode.malformed


def test_the_announced_limits_are_kept(start_daemon: StartDaemon) -> None:
    start_daemon("--side", "100")
    early = Client.open()
    job = early.submit("echo", [picture(width=101)])
    seen = poll_until(early, lambda: job.is_finished)
    assert any(isinstance(message, Failed) for message in seen)
    assert code_of(job.result) is ErrorCode.too_large
    assert early.lost is None
    early.close()
    with Client.connect() as client:
        assert code_of(lambda: client.submit("echo", [picture(height=101)])) is ErrorCode.too_large
        assert client.jobs == {}
        assert client.submit("echo", [picture(width=100)]).result(60)


def test_wrong_requests_raise_at_once(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        assert code_of(lambda: client.submit("no task", [])) is ErrorCode.malformed
        huge = {str(i): ["x" * 200] * 50 for i in range(9)}
        assert code_of(lambda: client.submit("echo", [], huge)) is ErrorCode.too_large
        job = client.submit("hang", [], job="mine")
        assert job.id == "mine"
        with pytest.raises(NuriError, match="exists"):
            client.submit("hang", [], job="mine")


def test_a_full_daemon_refuses(start_daemon: StartDaemon) -> None:
    start_daemon("--full")
    assert code_of(lambda: Client.connect(timeout=60)) is ErrorCode.too_many_clients


def test_another_version_is_refused_with_both_versions(start_daemon: StartDaemon) -> None:
    start_daemon("--protocol", "2.3")
    with pytest.raises(NuriError, match=r"2\.3.*" + re.escape(PROTOCOL_VERSION)) as caught:
        Client.connect(timeout=60)
    assert caught.value.code is ErrorCode.version_mismatch
    assert "Update the client" in caught.value.info.action


@pytest.mark.parametrize(("version", "side"), [("2.0", "client"), ("0.4", "backend")])
def test_a_connection_file_of_another_version_needs_no_connection(
    start_daemon: StartDaemon, version: str, side: str
) -> None:
    start_daemon()
    replace(ConnectionFile.read(), protocol=version).write()
    with pytest.raises(NuriError) as caught:
        Client.connect()
    assert caught.value.code is ErrorCode.version_mismatch
    assert version in str(caught.value)
    assert f"Update the {side}" in caught.value.info.action


def test_the_largest_side_travels(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect() as client:
        sent = picture(width=limits.SIDE, height=20)
        assert client.submit("echo", [sent]).result(60).outputs == (sent,)


def test_closing_ends_open_jobs(start_daemon: StartDaemon) -> None:
    start_daemon()
    client = Client.connect()
    job = client.submit("hang", [])
    client.close()
    client.close()
    assert job.state == "failed"
    assert code_of(job.result) is ErrorCode.unreachable
    assert code_of(lambda: client.submit("echo", [])) is ErrorCode.unreachable
    assert any(isinstance(message, Failed) for message in client.poll())
    assert client.poll() == []
    job.cancel()


def test_a_client_takes_a_file_or_a_path(start_daemon: StartDaemon, home: Path) -> None:
    start_daemon()
    for connection in (
        ConnectionFile.read(),
        home / "connection.json",
        str(home / "connection.json"),
    ):
        client = Client.open(connection)
        poll_until(client, lambda client=client: client.ready)
        client.close()


def test_a_hostile_peer_gets_an_error_and_keeps_its_connection(start_daemon: StartDaemon) -> None:
    """The decoder in a ROUTER: garbage is answered, and the same socket is then still served."""
    start_daemon()
    connection = ConnectionFile.read()
    context: zmq.Context[Any] = zmq.Context()
    try:
        socket = context.socket(zmq.DEALER)
        socket.rcvtimeo = 60_000
        socket.connect(connection.work)
        for garbage in ([b"\xc1"], [b""], [b"\x91" * 60_000], [b"x"] * 200, [bytes(70_000)]):
            socket.send_multipart(garbage)
            assert b"error" in socket.recv_multipart()[0]
    finally:
        context.destroy(linger=0)
    with Client.connect() as client:
        assert isinstance(client.submit("echo", []), Job)
