"""One fully filled example of every message, and pictures of every format."""

from __future__ import annotations

from protocol.errors import ErrorCode, ErrorInfo
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
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat

ERROR = ErrorInfo(
    ErrorCode.bad_input,
    "Die Ebene „Linien“ ist leer",
    "Zeichne etwas 線",
    "Traceback\n  line",
    "j-1",
)


def picture(
    name: str = "line", width: int = 5, height: int = 3, kind: PixelFormat = PixelFormat.rgba8
) -> PixelBuffer:
    """A picture with a byte pattern that tells every byte from its neighbours."""
    size = width * height * kind.bytes_per_pixel
    return PixelBuffer(name, width, height, kind, bytes(i * 7 % 256 for i in range(size)), -4, 9)


ENCODED = EncodedImage("hints", "Bild ü.kra", b"\x89PNG not really", "Farben 色")
EVERY_FORMAT = tuple(picture(kind.value, kind=kind) for kind in PixelFormat)

EXAMPLES: tuple[Message, ...] = (
    Hello(protocol="1.0", client="krita", client_version="0.1.0", pid=4711),
    Welcome(
        protocol="1.0",
        version="0.1.0",
        session="aB3-_",
        pid=4712,
        device="cpu",
        models=[{"id": "manga", "sizes": [512, 1024], "ready": True, "more": {"x": None}}],
        tasks=["flats", "layer.v2"],
        limits=Limits(side=10_000, window=2),
        log_file="/tmp/ü/daemon.log",
    ),
    Refused(protocol="2.0", version="9.1", message="other version", action="update"),
    Submit(
        job="job-1_A",
        task="flats",
        options={"outputs": ["flats", "regions"], "fill": True, "size": 12, "gap": 0.5, "x": None},
        inputs=(*EVERY_FORMAT, ENCODED),
        lane="batch",
        document="doc 線",
        deadline=12.5,
        frames=3,
        keep=False,
    ),
    Accepted(job="j", position=3, window=2),
    Progress(job="j", fraction=0.25, stage="Flächen", frame=2, seconds_left=1.5),
    Frame(
        job="j",
        index=7,
        planes=(picture(), ENCODED),
        info={"time": 12, "doubtful": [{"box": [1, 2, 3, 4], "confidence": 0.25}]},
    ),
    Credit(job="j", count=4),
    Result(
        job="j",
        outputs=(picture("flats"), picture("regions", kind=PixelFormat.index32)),
        info={
            "palette": [{"colour": [1, 2, 255, 65535], "regions": [0, 1, 2**32]}],
            "gaps": [[0, 1, 2, 3]],
            "warnings": ["zu viel"],
            "ratio": -0.5,
        },
        seconds=0.75,
    ),
    Failed(job="j-1", error=ERROR),
    Cancelled(job="j", reason="superseded"),
    Cancel(job="j"),
    CancelReply(job="j", state="unknown"),
    Fetch(job="j", frame=7),
    StatusRequest(),
    Status(
        version="0.1.0",
        pid=3,
        device="cuda:0",
        uptime=12.0,
        worker={"state": "ready", "pid": 5, "memory": 2**33},
        jobs=[{"job": "j", "fraction": 0.5, "stage": "x"}],
        kept=[{"job": "k", "finished": 1.7e9, "bytes": 12, "frames": 3}],
        log_file="log",
    ),
    Ping(nonce=2**47),
    Pong(nonce=2**47, job="j", fraction=1.0, step_age=0.25),
    Shutdown(),
    Stopping(),
    Error(error=ERROR, reply_to="submit"),
)
