"""Downloads from a local server that disconnects, refuses, is slow, or sends another file."""

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
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of each request."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        byte_range = request.headers["Range"]
        self.requests.append((request.path, byte_range))
        content = self.files.get(request.path.strip("/"))
        if content is None:
            return request.send_error(404)
        start = int(byte_range.removeprefix("bytes=").removesuffix("-")) if byte_range and self.ranges else 0
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
    fetch(INFO, tmp_path, lambda *arguments: progress.append(arguments))
    return progress


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_is_downloaded_and_progress_is_reported(server: Server, tmp_path: Path, folder: Path) -> None:
    progress = get(tmp_path)
    assert files_in(folder) == FILES
    for name, content in FILES.items():
        reports = [(there, total) for file, there, total in progress if file == name]
        assert len(reports) > 1 and reports == sorted(reports)
        assert reports[-1] == (len(content), len(content))


def test_complete_files_are_not_downloaded_again(server: Server, tmp_path: Path, folder: Path) -> None:
    get(tmp_path)
    server.requests.clear()
    assert get(tmp_path) == [] and server.requests == []


def test_a_file_with_a_wrong_checksum_is_downloaded_again(tmp_path: Path, folder: Path) -> None:
    (folder / FIRST).write_bytes(b"torn")
    get(tmp_path)
    assert files_in(folder) == FILES


def test_an_interrupted_download_is_resumed(server: Server, tmp_path: Path, folder: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(DataError, match="connection was lost"):
        get(tmp_path)
    assert files_in(folder) == {f"{FIRST}.part": FILES[FIRST][:100_000]}
    server.breaks_after = None
    server.requests.clear()
    progress = get(tmp_path)
    assert server.requests[0] == (f"/{FIRST}", "bytes=100000-")
    assert progress[0][1] > 100_000 and {total for _, _, total in progress} == {300_000}
    assert files_in(folder) == FILES


def test_a_server_without_ranges_sends_the_file_from_the_beginning(server: Server, tmp_path: Path, folder: Path) -> None:
    server.ranges = False
    (folder / f"{FIRST}.part").write_bytes(FILES[FIRST][:100_000])
    get(tmp_path)
    assert server.requests[0] == (f"/{FIRST}", "bytes=100000-")
    assert files_in(folder) == FILES


def test_a_download_without_a_length_is_accepted(server: Server, tmp_path: Path, folder: Path) -> None:
    server.tells_length = False
    assert {total for _, _, total in get(tmp_path)} == {0}
    assert files_in(folder) == FILES


@pytest.mark.parametrize("length", [0, 1_000, 300_000, 400_000], ids=["empty", "shorter", "as-long", "longer"])
def test_a_part_of_another_file_is_discarded(tmp_path: Path, folder: Path, length: int) -> None:
    (folder / f"{FIRST}.part").write_bytes(b"x" * length)
    if length:
        with pytest.raises(DataError, match="checksum"):
            get(tmp_path)
        assert files_in(folder) == {}
    get(tmp_path)
    assert files_in(folder) == FILES


def test_a_complete_part_is_only_checked(server: Server, tmp_path: Path, folder: Path) -> None:
    (folder / f"{FIRST}.part").write_bytes(FILES[FIRST])
    get(tmp_path)
    assert files_in(folder) == FILES


def test_a_downloaded_file_with_a_wrong_checksum_is_discarded(server: Server, tmp_path: Path, folder: Path) -> None:
    server.files[FIRST] = b"<html>Please sign in</html>"
    with pytest.raises(DataError, match="checksum of the downloaded file is wrong"):
        get(tmp_path)
    assert files_in(folder) == {}


def test_the_error_for_a_missing_file_has_the_status_of_the_server(server: Server, tmp_path: Path) -> None:
    del server.files[SECOND]
    with pytest.raises(DataError, match=rf"{server.address}{SECOND}: the server answered 404"):
        get(tmp_path)


def test_the_error_names_the_files_and_their_folder(server: Server, tmp_path: Path, folder: Path) -> None:
    server.files.clear()
    with pytest.raises(DataError) as caught:
        get(tmp_path)
    assert all(part in caught.value.hint for part in (str(folder), *NAMES, "MNIST 5k"))


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that lets one connect and then never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_server_that_never_responds_times_out(silent_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [silent_server])
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "0.1")
    with pytest.raises(DataError, match=r"no answer within 0\.1 seconds"):
        get(tmp_path)


def test_the_next_address_is_used_after_a_timeout(silent_server: str, server: Server, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [silent_server, server.address])
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "0.5")
    get(tmp_path)
    assert files_in(folder) == FILES


def test_a_closed_port_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    with pytest.raises(DataError, match=r"could not be downloaded.*refused"):
        get(tmp_path)


@pytest.mark.parametrize("inside", ["", "mnist", "with space"], ids=["beside", "folder-of-its-own", "space"])
def test_a_mirror_can_be_a_folder(inside: str, server: Server, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror" / (inside if " " in inside else "")
    place = mirror / ("" if " " in inside else inside)
    place.mkdir(parents=True)
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    monkeypatch.setenv("PLAYGROUND_MIRROR", mirror.as_uri())
    get(tmp_path)
    assert files_in(folder) == FILES and server.requests == []


def test_a_mirror_is_used_first_with_and_without_the_folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])
    monkeypatch.setenv("PLAYGROUND_MIRROR", server.address)
    get(tmp_path)
    assert [path for path, _ in server.requests] == [f"/mnist/{FIRST}", f"/{FIRST}", f"/mnist/{SECOND}", f"/{SECOND}"]


@pytest.mark.parametrize(
    "mirror", ["file:///no/such/folder", "mirror/of/ours", "http://", "ftps://host/", "http://ho st/", "http://127.0.0.1:x/"],
    ids=["missing-folder", "no-scheme", "no-host", "unknown-scheme", "space", "no-port"],
)  # fmt: skip
def test_an_unusable_mirror_does_not_prevent_the_download(mirror: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_MIRROR", mirror)
    get(tmp_path)
    assert files_in(folder) == FILES


def test_cifar10_is_downloaded_as_one_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (archive,) = archives(dataset_info("cifar10"), tmp_path)
    assert (archive.path, archive.md5) == (tmp_path / datasets.CIFAR10.filename, datasets.CIFAR10.tgz_md5)
    assert archive.addresses == (datasets.CIFAR10.url,)
