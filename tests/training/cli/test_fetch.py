"""`nuri-train fetch`: downloads from a server on this machine, and what a broken one gives."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from tests.training.published import tagger
from training.cli import main
from training.pretrained import SOURCES, resolve


class Server(ThreadingHTTPServer):
    """Gives ``content`` for every address, cut to ``sent`` bytes, and counts how often."""

    content, sent, asked = b"", None, 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200 if self.server.content else 404)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: self.server.sent])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights in any place, and no proxy between here and here."""
    monkeypatch.setenv("NURI_PRETRAINED", str(tmp_path / "pretrained"))
    monkeypatch.setenv("NURI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "pretrained"


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        point_at(server.server_port, monkeypatch)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def point_at(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tag2pix", "alexnet"):
        url = f"http://127.0.0.1:{port}/{name}.pth"
        monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], url=url))


def published() -> bytes:
    buffer = io.BytesIO()
    torch.save(tagger(), buffer)
    return buffer.getvalue()


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_what_is_absent_is_downloaded_once(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.content = published()
    for _ in range(2):
        assert main(["fetch", "tag2pix"]) == 0
        told = capsys.readouterr()
        assert told.out == (
            f"{folder / 'tag2pix.pth'}: tag2pix, non-commercial, not to be passed on, "
            f"http://127.0.0.1:{server.server_port}/tag2pix.pth\n"
        )
        assert told.err == ""
    assert server.asked == 1
    assert resolve("tag2pix") == folder / "tag2pix.pth"
    assert (folder / "tag2pix.pth").read_bytes() == server.content


def test_a_download_that_breaks_off_is_not_kept(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.content = published()
    server.sent = len(server.content) // 2
    assert main(["fetch", "tag2pix"]) == 1
    assert "tag2pix" in complaint(capsys)  # who notices depends on the version of Python
    assert list(folder.iterdir()) == []


def test_another_file_than_the_published_one_is_not_kept(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.content = published()
    assert main(["fetch", "alexnet"]) == 1
    assert "alexnet could not be downloaded from http://127.0.0.1" in (line := complaint(capsys))
    assert "invalid hash value" in line and "NURI_PRETRAINED" in line
    server.content = b"<html>Quota exceeded</html>"
    assert main(["fetch", "tag2pix"]) == 1
    assert "gave is not tag2pix" in (line := complaint(capsys))
    assert line.endswith("or holds more than tensors: fetch it again")
    assert list(folder.iterdir()) == []


def test_without_a_network_one_line_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    point_at(port, monkeypatch)
    assert main(["fetch", "tag2pix"]) == 1
    line = complaint(capsys)
    assert line.startswith(
        f"nuri-train: tag2pix could not be downloaded from http://127.0.0.1:{port}"
    )
    assert line.endswith("put the file into the folder that NURI_PRETRAINED names")
    assert list(folder.iterdir()) == []


def test_names_are_looked_at_before_anything_is_downloaded(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.content = published()
    assert main(["fetch", "tag2pix", "tag3pix"]) == 1
    assert "no pretrained network is called 'tag3pix': use one of" in complaint(capsys)
    assert server.asked == 0
    assert main(["fetch", "pfanet"]) == 1
    assert "no address is known for pfanet" in complaint(capsys)
