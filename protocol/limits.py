"""Every limit of the protocol, in one place. SPEC.md lists them; `Welcome` announces them."""

from __future__ import annotations

HEADER_BYTES = 64 * 1024
INFO_BYTES = 8 * 1024 * 1024
DEPTH = 8
BUFFERS = 64
BUFFER_BYTES = 512 * 1024 * 1024
MESSAGE_BYTES = 2 * 1024 * 1024 * 1024
# A little above BUFFER_BYTES, so that a buffer just too large gets an error reply; ZeroMQ closes
# the connection of a peer that sends a frame above this.
FRAME_BYTES = BUFFER_BYTES + 1024 * 1024
SIDE = 20_000
PIXELS = 2**28

NAME = 64
TEXT = 1024
MESSAGE = 2000
DETAIL = 16_000
OPTIONS = 64
OPTION_TEXT = 4096
OPTION_LIST = 1024
MODELS = 64
TASKS = 64
JOBS = 256
KEPT = 1024
FRAMES = 100_000
WINDOW = 64
COORDINATE = 2**31 - 1
DEADLINE_SECONDS = 86_400.0

CONNECTION_FILE_BYTES = 64 * 1024
IPC_PATH_BYTES = 100
