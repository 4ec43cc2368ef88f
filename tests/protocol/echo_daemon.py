"""A small real daemon for the tests of the client: a process of its own with two ROUTERs.

python -m tests.protocol.echo_daemon [--curve] [--protocol V] [--mute] [--side N] [--full]
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import msgpack
import zmq
from zmq.auth.thread import ThreadAuthenticator

from protocol import wire
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.folders import connection_path, make_private_folder
from protocol.messages import (
    Accepted,
    Cancel,
    Cancelled,
    CancelReply,
    Credit,
    Error,
    Failed,
    Fetch,
    Frame,
    Hello,
    Limits,
    Message,
    Ping,
    Pong,
    Progress,
    Refused,
    Result,
    Shutdown,
    Status,
    StatusRequest,
    Stopping,
    Submit,
    Welcome,
)
from protocol.security import CurveKeys, generate_keys
from protocol.sockets import CONTROL_HIGH_WATER, WORK_HIGH_WATER, set_options, set_server_curve
from protocol.version import PROTOCOL_VERSION, can_talk

WINDOW = 2


class AllowList:
    """Lets one client key in."""

    def __init__(self, keys: CurveKeys) -> None:
        self._public = keys.public

    def callback(self, domain: str, key: bytes) -> bool:
        return key.decode() == self._public


class EchoDaemon:
    """Answers by the name of the task: echo, hang, fail, stream, stream-stuck, newer, broken,
    last-words."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.context: zmq.Context[Any] = zmq.Context()
        self.control = self.context.socket(zmq.ROUTER)
        self.work = self.context.socket(zmq.ROUTER)
        self.owners: dict[str, bytes] = {}
        self.streams: dict[str, dict[str, Any]] = {}
        self.kept: dict[tuple[str, int], Message] = {}
        self.sessions = 0
        set_options(self.control, high_water=CONTROL_HIGH_WATER)
        set_options(self.work, high_water=WORK_HIGH_WATER)
        self.work.router_mandatory = True

    def serve(self) -> None:
        folder = connection_path().parent
        make_private_folder(folder)
        server = client = None
        endpoints = [f"ipc://{folder}/work.sock", f"ipc://{folder}/control.sock"]
        if self.options.curve:
            server, client = generate_keys(), generate_keys()
            authenticator = ThreadAuthenticator(self.context)
            authenticator.start()
            authenticator.configure_curve_callback("*", credentials_provider=AllowList(client))
            endpoints = ["tcp://127.0.0.1:*"] * 2
        for index, socket in enumerate((self.work, self.control)):
            if server:
                set_server_curve(socket, server)
            socket.bind(endpoints[index])
            endpoints[index] = socket.last_endpoint.rstrip(b"\0").decode()
        ConnectionFile.of_this_process("9.9", *endpoints, server, client).write()
        poller = zmq.Poller()
        poller.register(self.control, zmq.POLLIN)
        poller.register(self.work, zmq.POLLIN)
        while True:
            for socket, _ in poller.poll():
                identity, *frames = socket.recv_multipart(copy=False)
                if not self.options.mute:
                    self.answer(socket, identity.bytes, frames)

    def answer(self, socket: Any, identity: bytes, frames: list[Any]) -> None:
        try:
            envelope = wire.decode_envelope(frames)
            message = envelope.message
            if not isinstance(message, Hello) and not envelope.session.startswith("session-"):
                raise NuriError(ErrorCode.unauthenticated, "no session", "Connect again")
        except NuriError as error:
            self.send(socket, identity, Error(error=error.info, reply_to=error.info.job))
            return
        if isinstance(message, Shutdown):
            self.send(socket, identity, Stopping())
            self.context.destroy(linger=500)
            os._exit(0)
        for reply in self.replies(message, identity):
            self.send(socket, identity, reply)

    def replies(self, message: Message, identity: bytes) -> list[Message]:
        if isinstance(message, Hello):
            return [self.greet(message)]
        if isinstance(message, Ping):
            return [Pong(nonce=message.nonce)]
        if isinstance(message, StatusRequest):
            jobs = [{"job": job} for job in self.owners]
            return [Status(version="9.9", pid=os.getpid(), device="cpu", uptime=1.0, jobs=jobs)]
        if isinstance(message, Cancel):
            return self.cancel(message)
        if isinstance(message, Fetch):
            missing = ErrorInfo(ErrorCode.not_found, "nothing kept", "Run it again")
            nothing = Error(error=missing, reply_to=message.job)
            return [self.kept.get((message.job, message.frame), nothing)]
        if isinstance(message, Submit):
            self.owners[message.job] = identity
            return self.submit(message, identity)
        if isinstance(message, (Frame, Credit)):
            return self.stream(message)
        return []

    def greet(self, hello: Hello) -> Message:
        if self.options.full:
            info = ErrorInfo(ErrorCode.too_many_clients, "full", "Close one")
            return Error(error=info, reply_to="hello")
        version = self.options.protocol
        if not can_talk(version):
            text = f"The backend speaks {version}, the client {hello.protocol}"
            return Refused(
                protocol=version, version="9.9", message=text, action="Update the client"
            )
        self.sessions += 1
        return Welcome(
            protocol=version,
            version="9.9",
            session=f"session-{self.sessions}",
            pid=os.getpid(),
            device="cpu",
            models=[],
            tasks=["echo"],
            limits=Limits(side=self.options.side, window=WINDOW),
        )

    def cancel(self, message: Cancel) -> list[Message]:
        owner = self.owners.pop(message.job, None)
        if owner is None:
            return [CancelReply(job=message.job, state="unknown")]
        self.send(self.work, owner, Cancelled(job=message.job, reason="asked"))
        return [CancelReply(job=message.job, state="cancelling")]

    def submit(self, message: Submit, identity: bytes) -> list[Message]:
        job = message.job
        replies: list[Message] = [Accepted(job=job, window=WINDOW)]
        if message.task == "echo":
            info = {"options": message.options, "names": [plane.name for plane in message.inputs]}
            result = Result(job=job, outputs=message.inputs, info=info)
            self.kept[job, -1] = result
            replies += [Progress(job=job, fraction=step / 2, stage="echo") for step in range(3)]
            replies.append(result)
        elif message.task == "hang":
            replies.append(Progress(job=job, fraction=0.5, stage="hang"))
        elif message.task == "fail":
            error = ErrorInfo(ErrorCode.bad_input, "The hints are empty", "Paint some", job=job)
            replies.append(Failed(job=job, error=error))
        elif message.task == "superseded":
            replies.append(Cancelled(job=job, reason="superseded"))
        elif message.task.startswith("stream"):
            state = {"room": WINDOW, "granted": WINDOW, "got": 0, "given": 0, "waiting": []}
            self.streams[job] = {**state, "total": message.frames, "task": message.task}
        elif message.task == "newer":
            self.send_newer(job)
        elif message.task == "last-words":
            self.control.close(0)
            time.sleep(1.0)  # the client sees one connection end, and the other alive
            self.send(self.work, identity, Result(job=job))
            self.context.destroy(linger=500)
            os._exit(0)
        elif message.task == "broken":
            self.work.send_multipart([self.owners[job], b"\xc1 no header"])
        return replies

    def stream(self, message: Frame | Credit) -> list[Message]:
        state = self.streams[message.job]
        if isinstance(message, Credit):
            state["room"] += message.count
        else:
            state["got"] += 1
            if state["got"] > state["granted"] or message.index != state["got"] - 1:
                error = ErrorInfo(ErrorCode.malformed, "frame without credit or out of turn")
                return [Failed(job=message.job, error=error)]
            state["waiting"].append(message)
        replies: list[Message] = []
        while state["waiting"] and state["room"] and state["task"] != "stream-stuck":
            state["room"] -= 1
            state["given"] += 1
            answer = state["waiting"].pop(0)
            self.kept[answer.job, answer.index] = answer
            replies.append(answer)
            if state["granted"] < state["total"]:
                state["granted"] += 1
                replies.append(Credit(job=message.job, count=1))
        if state["given"] == state["total"]:
            replies.append(Result(job=message.job))
        return replies

    def send_newer(self, job: str) -> None:
        """What a daemon of a later minor version might say."""
        header, info = wire.encode(Result(job=job))
        later = msgpack.unpackb(bytes(header))
        later["protocol"] = "1.7"
        later["mood"] = "good"
        later["body"]["sparkles"] = [1, 2]
        unknown = {**later, "type": "sparkle"}
        failed = msgpack.unpackb(bytes(wire.encode(Accepted(job=job))[0]))
        self.work.send_multipart([self.owners[job], msgpack.packb(unknown), b"", b"extra"])
        self.work.send_multipart([self.owners[job], msgpack.packb(failed)])
        self.work.send_multipart([self.owners[job], msgpack.packb(later), info])

    def send(self, socket: Any, identity: bytes, message: Message) -> None:
        try:
            socket.send_multipart([identity, *wire.encode(message)], copy=False)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--protocol", default=PROTOCOL_VERSION)
    parser.add_argument("--mute", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--side", type=int, default=20_000)
    EchoDaemon(parser.parse_args()).serve()
