"""`pytorch-playground serve`: the same server from any folder, which ends with the command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from playground.environment import ROOT

SERVE = [sys.executable, "-m", "playground", "serve"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A browser that only writes down the address which it is to open."""
    browser = f"{sys.executable} -c \"import sys; print('opened', sys.argv[1], flush=True)\" %s"
    return {**os.environ, "PYTHONPATH": str(ROOT), "PLAYGROUND_HOME": str(tmp_path / "home"), "BROWSER": browser}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.skipif(sys.platform == "win32", reason="a process of another group cannot be sent Ctrl+C there")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=lambda ending: ending.name)
def test_it_opens_a_browser_once_it_answers_and_ends_with_all_that_it_started(ending: signal.Signals, environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    command = [*SERVE, "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as serving:
        try:
            assert serving.stdout is not None
            assert any(line == f"opened http://localhost:{port}\n" for line in serving.stdout), "no browser was opened"
            socket.create_connection(("localhost", port), timeout=30).close()
            serving.send_signal(ending)
            assert serving.wait(120) == 0
            serving.stdout.read()  # ends once nobody is left who could write
        finally:
            if serving.poll() is None:
                os.killpg(serving.pid, signal.SIGKILL)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", port), timeout=1)
    assert not (tmp_path / "runs").exists() and not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_refused_kindly(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [*SERVE, "--port", str(port), "--address", "127.0.0.1"], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 2
    assert f"uses port {port}" in done.stderr and f"serve --port {port + 1}" in done.stderr
