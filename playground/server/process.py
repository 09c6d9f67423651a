"""The server as a process of its own: started from any folder, waited for until it answers, and ended with its workers."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import webbrowser

from playground.environment import ROOT
from playground.errors import PlaygroundError
from playground.messages import msg

EVERYWHERE = ("0.0.0.0", "::")
"""Addresses that mean all of this machine's, at none of which a browser can look."""
PATIENCE = 0.1
"""Seconds between two questions whether the server answers."""


def serve(port: int, address: str, open_browser: bool) -> int:
    """Serve the playground until it ends by itself or by Ctrl+C; return its exit status.

    Args:
        port: the TCP port to listen on.
        address: the address of this machine to listen on; `0.0.0.0` is every one.
        open_browser: whether to open a browser as soon as the server answers.

    Raises:
        PlaygroundError: the port is taken.
    """
    host = "localhost" if address in EVERYWHERE else address
    _check_port_is_free(host, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by another program as by Ctrl+C
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.port", str(port), "--server.address", address]
    with subprocess.Popen(command) as process:
        ended = threading.Event()
        if open_browser:
            threading.Thread(target=_open_browser, args=(host, port, ended), daemon=True).start()
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return 0
        finally:
            ended.set()
            process.wait()


def _check_port_is_free(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return
    raise PlaygroundError(
        msg("Another program on this computer uses port {port}.", port=port),
        msg("Choose another port, for example: pytorch-playground serve --port {port}", port=port + 1),
    )


def _open_browser(host: str, port: int, ended: threading.Event) -> None:
    while not ended.wait(PATIENCE):
        if _answers(host, port):
            webbrowser.open(f"http://{host}:{port}")
            return


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
