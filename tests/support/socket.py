"""The WebSocket between a page and Streamlit's server, whose messages a test can hold back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocketRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from .waiting import until


class Socket:
    """The messages of both sides; the page must not have been opened before."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.is_holding = False
        self.held: list[bytes] = []
        """Messages of the server that are on their way."""
        self.asked: list[str | bytes] = []
        """Messages of the browser."""
        self._routes: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def wait_for_finished(self, runs: int = 1) -> None:
        """Wait until the server has finished this many runs of the script whose messages are held."""
        until(lambda: self.page.title() and sum(map(ends, self.held)) >= runs)  # `title` lets messages pass

    def wait_for_asked(self, messages: int) -> None:
        """Wait until the browser has sent this many messages."""
        until(lambda: self.page.title() and len(self.asked) >= messages)

    def release(self, *, runs: int | None = None) -> None:
        """Let through what is held, of the first `runs` runs of the script, or everything and what comes later."""
        self.is_holding = runs is not None
        left = runs
        while self.held and left != 0:
            message = self.held.pop(0)
            self._routes[-1].send(message)
            if left is not None:
                left -= ends(message)

    def _connect(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def ask(message: str | bytes) -> None:
            self.asked.append(message)
            server.send(message)

        def answer(message: str | bytes) -> None:
            if self.is_holding and isinstance(message, bytes):
                self.held.append(message)
            else:
                route.send(message)

        server.on_message(answer)
        route.on_message(ask)
        self._routes.append(route)


def ends(message: bytes) -> bool:
    """Whether a message of the server ends a run of the script."""
    return ForwardMsg.FromString(message).HasField("script_finished")
