"""The html page that Streamlit serves, with the playground's style sheet and frame in it: a style sheet that a script sends later would move what is shown."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.environment import PACKAGE
from playground.server import web

STYLES = PACKAGE / "ui" / "shell" / "app.css"
FRAME = "frame/frame.js"
"""The script of what stands around every page, among those of the components."""
NOT_FORWARDED = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}
"""Request headers whose response would not be the whole page as text."""
OF_THE_FILE = ("etag", "last-modified", "accept-ranges")
"""Response headers of Streamlit's own file, which are wrong for the page with the style sheet."""


def asks_for_page(scope: Scope) -> bool:
    """Return whether a browser requests a page. The response does not say so: a page that the browser has cached is answered with 304 and no type."""
    return scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")


class StyledPage:
    """Insert the style sheet and the frame's script into each page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        script = f'<script type="module" src="{web.address()}/{FRAME}"></script>'  # no text: html
        self._inserted = b"<style>" + STYLES.read_bytes() + b"</style>" + script.encode() + b"</head>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not asks_for_page(scope):
            await self._app(scope, receive, send)
            return
        whole = {**scope, "headers": [header for header in scope["headers"] if header[0] not in NOT_FORWARDED]}
        start: Message = {}
        body = b""

        async def send_styled(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and "text/html" in Headers(raw=message.get("headers", [])).get("content-type", ""):
                start = message
            elif not start:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._send(start, body, send)

        await self._app(whole, receive, send_styled)

    async def _send(self, start: Message, body: bytes, send: Send) -> None:
        body = body.replace(b"</head>", self._inserted, 1)
        headers = MutableHeaders(scope=start)
        headers["content-length"] = str(len(body))
        for name in OF_THE_FILE:
            del headers[name]
        await send(start)
        await send({"type": "http.response.body", "body": body})
