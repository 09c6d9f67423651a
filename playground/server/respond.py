"""Read request bodies and build JSON responses for the routes that components call."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from playground.errors import BusyError, PlaygroundError
from playground.messages import language, msg, translated

MAX_BODY = 32_768
DOCUMENTS = 128
"""Number of the last requested documents kept in memory."""

Handler = Callable[[Request], Awaitable[Response]]


class AsciiJSON(JSONResponse):
    """JSON in the reader's language, escaped to ASCII: a lone surrogate in a learner's text, which a message may repeat, could not be encoded otherwise."""

    def render(self, content: Any) -> bytes:
        return json.dumps(translated(content), allow_nan=False, separators=(",", ":")).encode()


class Forbidden(PlaygroundError):
    """The run belongs to another learner."""

    status = 403


def answered(handler: Handler) -> Handler:
    """Turn a `PlaygroundError` of the handler into a JSON response that the component can show; `retry` says that the same request may succeed."""

    @wraps(handler)
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except PlaygroundError as error:
            retry = {"retry": True} if isinstance(error, BusyError) else {}
            return AsciiJSON({"error": error.text, **retry}, error.status)

    return handle


async def body_of(request: Request, most: int = MAX_BODY) -> bytes:
    """Return the request's body; stop reading one of more than `most` bytes.

    Raises:
        PlaygroundError: the body is too large.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise PlaygroundError(msg("The request body is larger than {most:,} bytes.", most=most))
    return body


def object_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a request's body.

    Raises:
        PlaygroundError: the body is not a JSON object.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PlaygroundError(msg("The request body must be a JSON object."))
    return document


def kept(request: Request, content: Any) -> Response:
    """Return a document that browsers keep, but ask about before each use: 304 while theirs is still the same."""
    return unless_kept(request, bytes(AsciiJSON(content).body), AsciiJSON.media_type)


def unless_kept(request: Request, body: bytes, media_type: str) -> Response:
    """Do the same for a document that is already serialised."""
    tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"cache-control": "no-cache", "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@dataclass(frozen=True)
class _Stamped:
    """A serialised document with the state that it was made from."""

    state: Any
    version: str
    body: bytes


_documents: OrderedDict[Hashable, _Stamped] = OrderedDict()
_documents_lock = threading.Lock()


async def news(request: Request, subject: Hashable, state: Callable[[], Any], make: Callable[[], Mapping[str, object]]) -> Response:
    """Return a document and its version, or 204 if the client has that version.

    A document is made and serialised only when its state differs from the last one's, once for everyone who asks for the subject
    in the same language.

    Args:
        request: its parameter `seen` is the version that the client has.
        subject: what the document is about, with everything about the client that changes it.
        state: returns what the document follows from; much cheaper than the document.
        make: returns the document.
    """
    stamped = await to_thread.run_sync(_stamped, (subject, language.get()), state, make)
    if request.query_params.get("seen") == stamped.version:
        return Response(status_code=204)
    return Response(stamped.body, media_type=AsciiJSON.media_type)


def _stamped(subject: Hashable, state: Callable[[], Any], make: Callable[[], Mapping[str, object]]) -> _Stamped:
    current = state()
    with _documents_lock:
        known = _documents.get(subject)
    if known is None or known.state != current:
        body = AsciiJSON(make()).body
        version = hashlib.blake2b(body, digest_size=8).hexdigest()
        known = _Stamped(current, version, b'{"version":"%s",%s' % (version.encode(), bytes(body)[1:]))
    with _documents_lock:
        _documents[subject] = known
        _documents.move_to_end(subject)
        while len(_documents) > DOCUMENTS:
            _documents.popitem(last=False)
    return known
