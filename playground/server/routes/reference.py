"""The route of the reference: everything that scripts can use, for completion in the editor."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.server.respond import answered, kept
from playground.tensors.help.reference import entries


@answered
async def reference(request: Request) -> Response:
    """Every function, method and attribute with its signature and a line of help."""
    return kept(request, await to_thread.run_sync(_entries))


@cache
def _entries() -> list[dict[str, Any]]:
    return [{**asdict(entry), "label": entry.name} for entry in entries()]


ROUTES: list[BaseRoute] = [Route("/api/tensors/reference", reference)]
