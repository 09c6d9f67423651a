"""The route of the reference: everything that scripts can use, for completion in the editor."""

from __future__ import annotations

from functools import cache
from typing import TypedDict

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.server.respond import answered, kept
from playground.tensors.help.reference import entries


class ReferenceEntry(TypedDict):
    """A function, a method or an attribute that scripts can use."""

    name: str
    group: str
    signature: str
    summary: str
    """A line of help."""
    label: str
    """The same as the name, for the editor."""


@answered
async def reference(request: Request) -> Response:
    """Every function, method and attribute with its signature and a line of help."""
    return kept(request, await to_thread.run_sync(_entries))


@cache
def _entries() -> list[ReferenceEntry]:
    return [{"name": entry.name, "group": entry.group, "signature": entry.signature, "summary": entry.summary, "label": entry.name} for entry in entries()]


ROUTES: list[BaseRoute] = [Route("/api/tensors/reference", reference)]
