"""The routes that live components ask, around Streamlit's script runs; each checks whose run it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from playground.errors import PlaygroundError, RunError, UnknownName

MAX_BODY = 32_768
ONE_DAY = 24 * 3600

Handler = Callable[[Request], Awaitable[Response]]


class Answer(JSONResponse):
    """JSON in letters that every line can carry: what a learner has sent may hold half a letter, and comes back in a message."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


class Forbidden(PlaygroundError):
    """Someone else's run."""


def answered(handler: Handler) -> Handler:
    """Turns a learner's error into an answer that the component can show."""

    @wraps(handler)
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except PlaygroundError as error:
            status = {UnknownName: 404, Forbidden: 403, RunError: 409}.get(type(error), 400)
            return Answer({"error": str(error)}, status)

    return handle


async def body_of(request: Request, most: int = MAX_BODY) -> bytes:
    """The request's body, refused before it grows large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise PlaygroundError(f"The request body is larger than {most:,} bytes.")
    return body


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a request brings.

    Raises:
        PlaygroundError: it brings none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PlaygroundError("The request body must be a JSON object.")
    return document


async def news(request: Request, make: Callable[[], dict[str, Any]]) -> Response:
    """An answer with its version, or none where the asker has seen that."""
    document = await to_thread.run_sync(make)
    return Response(status_code=204) if request.query_params.get("seen") == document["version"] else Answer(document)


def stamped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a version that follows from what it holds."""
    return {**document, "version": hashlib.blake2b(json.dumps(document).encode(), digest_size=8).hexdigest()}
