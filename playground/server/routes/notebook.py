"""The routes of notebooks: run a cell, stop it, forget all variables."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from playground.device import BEST
from playground.errors import PlaygroundError
from playground.messages import language, msg
from playground.server.identity import learner_of
from playground.server.respond import AsciiJSON, answered, body_of, object_of
from playground.server.services import services
from playground.tensors import notebook

MAX_CELL = 100_000
"""Bytes of a request with a cell."""


@answered
async def run(request: Request) -> Response:
    """Run a cell: `source`, `device`. Respond with lines of JSON: `Progress` of `playground.tensors.notebook.process`, and an `Answer`."""
    document = object_of(await body_of(request, MAX_CELL))
    source, device = document.get("source"), document.get("device") or BEST
    if not isinstance(source, str) or not isinstance(device, str):
        raise PlaygroundError(msg("The request body must be a JSON object with “source”."))
    cell: notebook.Request = {"source": source, "device": device, "language": language.get()}
    return StreamingResponse(await services().notebooks.run(_learner(request), cell), media_type="application/x-ndjson")


@answered
async def stop(request: Request) -> Response:
    """Stop the cell that runs."""
    services().notebooks.stop(_learner(request))
    return AsciiJSON({})


@answered
async def restart(request: Request) -> Response:
    """Forget all variables of the notebook."""
    services().notebooks.restart(_learner(request))
    return AsciiJSON({})


def _learner(request: Request) -> str:
    """Return the learner who sent a request.

    Raises:
        PlaygroundError: the browser sent no cookie, so that a notebook would be everyone's.
    """
    who = learner_of(request)
    if not who:
        raise PlaygroundError(msg("A notebook needs the playground’s cookie."), msg("Allow cookies for this site, and reload the page."))
    return who


ROUTES: list[BaseRoute] = [
    Route("/api/notebook/run", run, methods=["POST"]),
    Route("/api/notebook/stop", stop, methods=["POST"]),
    Route("/api/notebook/restart", restart, methods=["POST"]),
]
