"""`pytorch-playground serve` of an installed playground: the server starts from any folder and ends with the command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from playground.server import web

from .support.ports import free_port
from .support.wheel import build_wheel

SERVE = [sys.executable, "-m", "playground", "serve"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a wheel's files were unpacked into, as pip does it."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    """The installed playground, and a browser that only writes down the address which it is to open."""
    browser = f"{sys.executable} -c \"import sys; print('opened', sys.argv[1], flush=True)\" %s"
    return {**os.environ, "PYTHONPATH": str(installed), "PLAYGROUND_HOME": str(tmp_path / "home"), "BROWSER": browser}


@pytest.mark.skipif(sys.platform == "win32", reason="a process of another group cannot be sent Ctrl+C there")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=lambda ending: ending.name)
def test_serve_opens_a_browser_and_ends_with_its_processes(ending: signal.Signals, environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    command = [*SERVE, "--port", str(port)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore Ctrl+C, and what they start would, too
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as serving:
        try:
            assert serving.stdout is not None
            assert any(line == f"opened http://localhost:{port}\n" for line in serving.stdout), "no browser was opened"
            for path in ("", "_stcore/health", f"{web.address()}/shared/lab.js", f"{web.address()}/plotly/plotly.min.js"):
                with urlopen(f"http://localhost:{port}/{path}", timeout=60) as response:
                    assert response.status == 200
            serving.send_signal(ending)
            assert serving.wait(120) == 0
            serving.stdout.read()  # ends once nobody is left who could write
        finally:
            signal.signal(signal.SIGINT, before)
            if serving.poll() is None:
                os.killpg(serving.pid, signal.SIGKILL)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", port), timeout=1)
    assert not (tmp_path / "runs").exists() and not (tmp_path / "data").exists()


def test_a_port_in_use_is_reported(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [*SERVE, "--port", str(port), "--address", "127.0.0.1"], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 2
    assert f"uses port {port}" in done.stderr and f"serve --port {port + 1}" in done.stderr
