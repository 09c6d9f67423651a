"""The language of whoever sends a request: of the address (``?lang=zh``), else of a cookie that keeps it, else of the browser."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.messages import ENGLISH, language, preferred
from playground.server.page import asks_for_page

COOKIE = "playground_language"
"""Scripts read it: see `shared/text.js`."""
PARAMETER = "lang"
COOKIE_SECONDS = 365 * 24 * 3600


class ReaderLanguage:
    """Set the language for everything that answers a request, and keep it in a cookie when a page is requested."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kept = language_of_cookie(headers.get("cookie", ""))
        asked = _of_address(scope)
        chosen = asked or kept or preferred(headers.get("accept-language", "")) or ENGLISH
        token = language.set(chosen)
        is_page = asks_for_page(scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and is_page and (asked or chosen != kept):
                lasting = f"; Max-Age={COOKIE_SECONDS}" if asked else ""  # the browser's own wish may change, and counts again when it is started next
                MutableHeaders(scope=message).append("set-cookie", f"{COOKIE}={chosen}; Path=/; SameSite=Lax{lasting}")  # no text: a header
            await send(message)

        try:
            await self._app(scope, receive, send_with_cookie)
        finally:
            language.reset(token)


def language_of_cookie(cookies: str) -> str | None:
    """Return the language in a Cookie header; None without one that the playground speaks."""
    return preferred(cookie_parser(cookies).get(COOKIE, ""))


def _of_address(scope: Scope) -> str | None:
    wishes = parse_qs(scope.get("query_string", b"").decode("latin-1")).get(PARAMETER, [])
    return preferred(wishes[-1]) if wishes else None
