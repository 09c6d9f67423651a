"""The parts that the playground adds to Streamlit's ASGI application: routes, a cookie for each learner, security headers, a log of faults, start and stop."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.environment import PACKAGE
from playground.server import services
from playground.server.identity import COOKIE, COOKIE_SECONDS
from playground.server.page import StyledPage, asks_for_page
from playground.server.reader import ReaderLanguage
from playground.server.routes import assets, comparison, home, later, notebook, runs, scripts, texts

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"referrer-policy", b"same-origin"),
)


class LearnerCookie:
    """Set a random identifier in a cookie that scripts cannot read, and headers that forbid framing by other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        needs_cookie = COOKIE not in _cookies(scope) and asks_for_page(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *HEADERS]
                if needs_cookie:
                    headers.append((b"set-cookie", _new_cookie(scope).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class FaultLog:
    """Write the traceback of a bug in a route to the server's log; Streamlit silences uvicorn, which would do it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            logging.getLogger("playground").exception("%s %s failed.", scope.get("method", scope["type"]), scope.get("path", ""))
            raise


def _cookies(scope: Scope) -> dict[str, str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return cookie_parser("; ".join(values))


def _new_cookie(scope: Scope) -> str:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"  # no text: a header


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start the workers' launcher and the slow imports with the server; stop every worker with it."""
    services.start()
    yield
    services.stop()


SCRIPT = PACKAGE / "ui" / "shell" / "app.py"
ROUTES = [*assets.ROUTES, *texts.ROUTES, *runs.ROUTES, *comparison.ROUTES, *home.ROUTES, *scripts.ROUTES, *notebook.ROUTES, *later.ROUTES]
MIDDLEWARE = [Middleware(FaultLog), Middleware(LearnerCookie), Middleware(ReaderLanguage), Middleware(StyledPage)]
