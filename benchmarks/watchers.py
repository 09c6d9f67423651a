"""What idle watchers cost: processor time of a server whose thirty visitors look at one run in which nothing happens.

`python -m benchmarks.watchers` measures this alone. The run has 100,000 steps, as in `benchmarks.refresh`, and is held by a worker that waits.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from unittest.mock import patch

from benchmarks.refresh import LINE, recorded
from tests.support.serving import server

WATCHERS = 30
ROUNDS = 20
"""Requests of each watcher for each of the routes."""
BEFORE = 15.4
"""Milliseconds when the whole document was built to find out that nothing is new; a third of it is what this is held to."""
ROUTES = ("", "/inside", "/coach")
"""What a live view asks for again and again, below the address of a run."""


def measure() -> float:
    """Milliseconds of the server's processor time for one request that brings nothing new."""
    with tempfile.TemporaryDirectory() as folder, recorded(LINE) as run:
        runs = {"PLAYGROUND_RUNS": str(run.path.parent)}
        with patch.dict(os.environ, runs), server(Path(folder), runs) as address:
            return _idle(address, run.id)


def _idle(address: str, run: str) -> float:
    host = urllib.parse.urlsplit(address).netloc
    with urllib.request.urlopen(f"{address}/api/compare/runs", timeout=120):
        pass  # answers once the server has imported what it needs
    watchers = [http.client.HTTPConnection(host, timeout=120) for _ in range(WATCHERS)]
    seen = {route: json.loads(_get(watchers[0], f"/api/runs/{run}{route}")[1])["version"] for route in ROUTES}
    process = _listening(int(host.rpartition(":")[2]))
    _rounds(watchers, run, seen, 1)
    before = _processor_seconds(process)
    _rounds(watchers, run, seen, ROUNDS)
    spent = _processor_seconds(process) - before
    for watcher in watchers:
        watcher.close()
    return 1000 * spent / (WATCHERS * ROUNDS * len(ROUTES))


def _rounds(watchers: list[http.client.HTTPConnection], run: str, seen: dict[str, str], rounds: int) -> None:
    for _ in range(rounds):
        for watcher in watchers:
            for route in ROUTES:
                status, _body = _get(watcher, f"/api/runs/{run}{route}?seen={seen[route]}")
                assert status == 204, f"{route or '/'} answered {status}"


def _get(watcher: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    for _ in range(2):
        try:
            watcher.request("GET", path)
            response = watcher.getresponse()
            return response.status, response.read()
        except (http.client.RemoteDisconnected, ConnectionError):
            watcher.close()  # the server closes connections that were quiet for some seconds
    raise ConnectionError(path)


def _listening(port: int) -> int:
    """The process that listens on a port of this machine (Linux)."""
    needle = f"--server.port\0{port}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (folder / "cmdline").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    raise RuntimeError(f"no process listens on port {port}")


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    title = f"Live view: server processor time for a request that brings nothing new, {WATCHERS} watchers of one run"
    return [(title, f"{measure():.2f} ms", f"≤ {BEFORE / 3:.1f} ms")]


if __name__ == "__main__":
    sys.stdout.write(f"{measure():.2f} ms\n")
