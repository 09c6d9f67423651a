"""Fetching files from a server on this machine that breaks off, refuses, is slow, or gives something else."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision import datasets

from playground.data.archives import archives, fetch
from playground.data.catalogue import dataset_info
from playground.errors import DataError

INFO = dataset_info("mnist")
NAMES = ("images.gz", "labels.gz")
FILES = {name: (name.encode() * 40_000)[:300_000] for name in NAMES}
FIRST, SECOND = NAMES


@dataclass
class Server:
    """What it serves, how it misbehaves, and what was asked of it."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    ranges: bool = True
    tells_length: bool = True
    breaks_after: int | None = None
    """Bytes of each answer after which the connection breaks."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of each request."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"]
        self.asked.append((request.path, wanted))
        content = self.files.get(request.path.strip("/"))
        if content is None:
            return request.send_error(404)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if start and start >= len(content):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if self.tells_length:
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        request.wfile.write(content[start:][: self.breaks_after])
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}/"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is the only official place of MNIST, which has two small files."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.address])
    monkeypatch.setattr(datasets.MNIST, "resources", [(name, hashlib.md5(content).hexdigest()) for name, content in FILES.items()])
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "10")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where torchvision looks for the files."""
    path = tmp_path / "MNIST" / "raw"
    path.mkdir(parents=True)
    return path


def get(tmp_path: Path) -> list[tuple[str, int, int]]:
    progress: list[tuple[str, int, int]] = []
    fetch(INFO, tmp_path, lambda *told: progress.append(told))
    return progress


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_comes_and_progress_is_told(server: Server, tmp_path: Path, folder: Path) -> None:
    progress = get(tmp_path)
    assert kept(folder) == FILES
    for name, content in FILES.items():
        told = [(there, total) for file, there, total in progress if file == name]
        assert len(told) > 1 and told == sorted(told)
        assert told[-1] == (len(content), len(content))


def test_files_that_are_whole_are_not_fetched_again(server: Server, tmp_path: Path, folder: Path) -> None:
    get(tmp_path)
    server.asked.clear()
    assert get(tmp_path) == [] and server.asked == []


def test_a_file_that_is_not_the_one_expected_is_fetched_again(tmp_path: Path, folder: Path) -> None:
    (folder / FIRST).write_bytes(b"torn")
    get(tmp_path)
    assert kept(folder) == FILES


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path, folder: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(DataError, match="connection was lost"):
        get(tmp_path)
    assert kept(folder) == {f"{FIRST}.part": FILES[FIRST][:100_000]}
    server.breaks_after = None
    server.asked.clear()
    progress = get(tmp_path)
    assert server.asked[0] == (f"/{FIRST}", "bytes=100000-")
    assert progress[0][1] > 100_000 and {total for _, _, total in progress} == {300_000}
    assert kept(folder) == FILES


def test_a_server_that_cannot_go_on_starts_again(server: Server, tmp_path: Path, folder: Path) -> None:
    server.ranges = False
    (folder / f"{FIRST}.part").write_bytes(FILES[FIRST][:100_000])
    get(tmp_path)
    assert server.asked[0] == (f"/{FIRST}", "bytes=100000-")
    assert kept(folder) == FILES


def test_a_server_may_keep_the_length_to_itself(server: Server, tmp_path: Path, folder: Path) -> None:
    server.tells_length = False
    assert {total for _, _, total in get(tmp_path)} == {0}
    assert kept(folder) == FILES


@pytest.mark.parametrize("length", [0, 1_000, 300_000, 400_000], ids=["empty", "shorter", "as-long", "longer"])
def test_part_of_something_else_is_thrown_away(tmp_path: Path, folder: Path, length: int) -> None:
    (folder / f"{FIRST}.part").write_bytes(b"x" * length)
    if length:
        with pytest.raises(DataError, match="checksum"):
            get(tmp_path)
        assert kept(folder) == {}
    get(tmp_path)
    assert kept(folder) == FILES


def test_a_whole_part_needs_only_its_checksum(server: Server, tmp_path: Path, folder: Path) -> None:
    (folder / f"{FIRST}.part").write_bytes(FILES[FIRST])
    get(tmp_path)
    assert kept(folder) == FILES


def test_a_wrong_file_is_not_kept(server: Server, tmp_path: Path, folder: Path) -> None:
    server.files[FIRST] = b"<html>Please sign in</html>"
    with pytest.raises(DataError, match="checksum of the downloaded file is wrong"):
        get(tmp_path)
    assert kept(folder) == {}


def test_a_missing_file_is_told_with_the_servers_answer(server: Server, tmp_path: Path) -> None:
    del server.files[SECOND]
    with pytest.raises(DataError, match=rf"{server.address}{SECOND}: the server answered 404"):
        get(tmp_path)


def test_the_error_names_the_files_and_their_folder(server: Server, tmp_path: Path, folder: Path) -> None:
    server.files.clear()
    with pytest.raises(DataError) as caught:
        get(tmp_path)
    assert all(part in caught.value.hint for part in (str(folder), *NAMES, "MNIST 5k"))


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that lets one connect and then never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_server_that_never_answers_is_given_up(silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [silent])
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "0.1")
    with pytest.raises(DataError, match=r"no answer within 0\.1 seconds"):
        get(tmp_path)


def test_the_next_address_is_asked_where_one_never_answers(silent: str, server: Server, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [silent, server.address])
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "0.5")
    get(tmp_path)
    assert kept(folder) == FILES


def test_a_closed_port_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    with pytest.raises(DataError, match=r"could not be downloaded.*refused"):
        get(tmp_path)


@pytest.mark.parametrize("inside", ["", "mnist", "with space"], ids=["beside", "folder-of-its-own", "space"])
def test_a_mirror_may_be_a_folder(inside: str, server: Server, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror" / (inside if " " in inside else "")
    place = mirror / ("" if " " in inside else inside)
    place.mkdir(parents=True)
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    monkeypatch.setenv("PLAYGROUND_MIRROR", mirror.as_uri())
    get(tmp_path)
    assert kept(folder) == FILES and server.asked == []


def test_a_mirror_is_asked_first_with_and_without_the_folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])
    monkeypatch.setenv("PLAYGROUND_MIRROR", server.address)
    get(tmp_path)
    assert [path for path, _ in server.asked] == [f"/mnist/{FIRST}", f"/{FIRST}", f"/mnist/{SECOND}", f"/{SECOND}"]


@pytest.mark.parametrize(
    "mirror", ["file:///no/such/folder", "mirror/of/ours", "http://", "ftps://host/", "http://ho st/", "http://127.0.0.1:x/"],
    ids=["missing-folder", "no-scheme", "no-host", "unknown-scheme", "space", "no-port"],
)  # fmt: skip
def test_a_mirror_that_cannot_be_asked_keeps_nothing_from_coming(mirror: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_MIRROR", mirror)
    get(tmp_path)
    assert kept(folder) == FILES


def test_cifar10_is_one_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (archive,) = archives(dataset_info("cifar10"), tmp_path)
    assert (archive.path, archive.md5) == (tmp_path / datasets.CIFAR10.filename, datasets.CIFAR10.tgz_md5)
    assert archive.addresses == (datasets.CIFAR10.url,)
