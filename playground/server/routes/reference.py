"""The route of the reference: everything that scripts can use, for completion in the editor."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.server.respond import ONE_DAY, answered
from playground.tensors.help.reference import entries


@answered
async def reference(_request: Request) -> Response:
    """Every function, method and attribute with its signature and a line of help."""
    return JSONResponse(await to_thread.run_sync(_entries), headers={"cache-control": f"public, max-age={ONE_DAY}"})


@cache
def _entries() -> list[dict[str, Any]]:
    return [{**asdict(entry), "label": entry.name} for entry in entries()]


ROUTES: list[BaseRoute] = [Route("/api/tensors/reference", reference)]
